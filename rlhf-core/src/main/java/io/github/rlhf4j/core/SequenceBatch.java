package io.github.rlhf4j.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Sequences to score together, and the temperature the log-probabilities are under. A batch is a convenience of the
 * machine, never of the mathematics: no sequence's numbers depend on its batch-mates.
 *
 * @param sequences at least one
 * @param temperature τ &gt; 0; logits are divided by it, as when the tokens were sampled
 */
public record SequenceBatch(List<ScoredSequence> sequences, double temperature) {

    public SequenceBatch {
        sequences = List.copyOf(sequences);
        if (sequences.isEmpty()) {
            throw new IllegalArgumentException("a batch needs at least one sequence");
        }
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("temperature must be positive and finite, got " + temperature
                    + "; greedy decoding (temperature 0) has no log-probabilities to score");
        }
    }

    /** A batch at temperature 1. */
    public SequenceBatch(List<ScoredSequence> sequences) {
        this(sequences, 1.0);
    }

    /** Each completion after its prompt, at the given temperature. */
    public static SequenceBatch ofCompletions(List<Completion> completions, double temperature) {
        return new SequenceBatch(
                completions.stream().map(Completion::toScoredSequence).toList(), temperature);
    }

    public int size() {
        return sequences.size();
    }

    /** Tokens of all sequences together, scored or not. */
    public int tokenCount() {
        return sequences.stream().mapToInt(ScoredSequence::length).sum();
    }

    /** Scored tokens of all sequences together. */
    public int scoredCount() {
        return sequences.stream().mapToInt(ScoredSequence::scoredCount).sum();
    }

    /** The sequences at these indices, in this order, at the same temperature. */
    public SequenceBatch select(int... indices) {
        List<ScoredSequence> selected = new ArrayList<>(indices.length);
        for (int index : indices) {
            selected.add(sequences.get(index));
        }
        return new SequenceBatch(selected, temperature);
    }

    /**
     * The sequences in their order, in batches of bounded tokens at the same temperature.
     *
     * @param maxTokens tokens of a batch, ≥ 1; a longer sequence is a batch of its own
     */
    public List<SequenceBatch> split(int maxTokens) {
        return TokenBudget.ranges(size(), i -> sequences.get(i).length(), maxTokens).stream()
                .map(range -> new SequenceBatch(sequences.subList(range.from(), range.to()), temperature))
                .toList();
    }

    /**
     * Checks that {@code rows} has one row per sequence and one entry per scored token.
     *
     * @throws IllegalArgumentException naming {@code what} and the first row that does not fit
     */
    public void checkShape(String what, double[][] rows) {
        if (rows.length != size()) {
            throw new IllegalArgumentException(
                    what + " has " + rows.length + " rows for a batch of " + size() + " sequences");
        }
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != sequences.get(i).scoredCount()) {
                throw new IllegalArgumentException(what + " row " + i + " has " + rows[i].length + " entries; sequence "
                        + i + " has " + sequences.get(i).scoredCount() + " scored tokens");
            }
        }
    }
}
