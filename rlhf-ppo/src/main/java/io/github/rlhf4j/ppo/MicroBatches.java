package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenBudget;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A batch cut into passes of bounded tokens. The longest sequences come first, so that the sequences of a pass are of
 * about one length and the first pass is the one that needs the most memory. Which sequences make the batch is decided
 * before, so neither length nor budget decides what an update learns from.
 */
final class MicroBatches {

    private MicroBatches() {}

    /**
     * The rows of each pass: all rows of the batch once, as few passes as filling one after the other gives.
     *
     * @param maxTokens tokens of a pass, ≥ 1; a longer sequence is a pass of its own
     */
    static List<int[]> rows(List<ScoredSequence> sequences, int maxTokens) {
        int[] longestFirst = IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparingInt(row -> -sequences.get(row).length()))
                .mapToInt(Integer::intValue)
                .toArray();
        return TokenBudget.ranges(
                        longestFirst.length, i -> sequences.get(longestFirst[i]).length(), maxTokens)
                .stream()
                .map(range -> Arrays.copyOfRange(longestFirst, range.from(), range.to()))
                .toList();
    }

    /**
     * What a scorer says of each sequence of a batch, one row each, in the batch's order.
     *
     * @throws IllegalArgumentException naming {@code what} when the scorer returns another shape
     */
    static double[][] score(
            String what, SequenceBatch batch, int maxTokens, Function<SequenceBatch, double[][]> scorer) {
        double[][] scores = new double[batch.size()][];
        for (int[] rows : rows(batch.sequences(), maxTokens)) {
            SequenceBatch pass = batch.select(rows);
            double[][] scored = scorer.apply(pass);
            pass.checkShape(what, scored);
            for (int i = 0; i < rows.length; i++) {
                scores[rows[i]] = scored[i];
            }
        }
        return scores;
    }

    /**
     * log π of each scored token, nats, without a gradient.
     *
     * @param what the policy's log-probs are called when they have another shape
     */
    static double[][] logProbs(String what, Policy policy, SequenceBatch batch, int maxTokens) {
        return score(what, batch, maxTokens, pass -> policy.score(pass).logProbs());
    }
}
