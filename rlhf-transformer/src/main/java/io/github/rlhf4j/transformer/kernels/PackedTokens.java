package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sequences laid one after the other, without padding: N token rows and where each sequence starts. Only attention looks
 * at the starts; every other layer sees N rows.
 *
 * <p>Or the {@link #tails} of such sequences, the rows that something reads: M rows with their tokens and positions, that
 * attend to all N rows of the {@link #whole}.
 */
public final class PackedTokens {

    private final int[] tokens;
    private final int[] positions;
    private final int[] starts;
    private final @Nullable PackedTokens whole;
    private @Nullable Bins bins;

    private PackedTokens(int[] tokens, int[] positions, int[] starts, @Nullable PackedTokens whole) {
        this.tokens = tokens;
        this.positions = positions;
        this.starts = starts;
        this.whole = whole;
    }

    /**
     * Packs sequences.
     *
     * @param sequences each of 1 to {@code contextLength} tokens below {@code vocabularySize}
     * @throws IllegalArgumentException naming the sequence that breaks a rule
     */
    public static PackedTokens of(List<TokenSequence> sequences, int vocabularySize, int contextLength) {
        int[] starts = new int[sequences.size() + 1];
        for (int i = 0; i < sequences.size(); i++) {
            check(i, sequences.get(i), vocabularySize, contextLength);
            starts[i + 1] = Math.addExact(starts[i], sequences.get(i).length());
        }
        int[] tokens = new int[starts[sequences.size()]];
        int[] positions = new int[tokens.length];
        for (int i = 0; i < sequences.size(); i++) {
            for (int t = 0; t < sequences.get(i).length(); t++) {
                tokens[starts[i] + t] = sequences.get(i).get(t);
                positions[starts[i] + t] = t;
            }
        }
        return new PackedTokens(tokens, positions, starts, null);
    }

    /**
     * The first tokens of each sequence: by causality what follows changes none of their rows.
     *
     * @param lengths how many of each sequence, 1 to its length
     */
    public PackedTokens beginnings(int[] lengths) {
        return cut(new int[lengths.length], lengths, null);
    }

    /**
     * The rows of each sequence from a position on; this object itself when that is all of them.
     *
     * @param firsts the first position of each sequence, 0 to its length − 1
     */
    public PackedTokens tails(int[] firsts) {
        int[] ends = new int[firsts.length];
        Arrays.setAll(ends, this::length);
        return cut(firsts, ends, this);
    }

    private PackedTokens cut(int[] firsts, int[] ends, @Nullable PackedTokens origin) {
        if (firsts.length != sequenceCount() || whole != null) {
            throw new IllegalArgumentException("whole sequences are cut, each in one place; got " + firsts.length
                    + " places for " + sequenceCount() + (whole == null ? " sequences" : " tails"));
        }
        int[] cutStarts = new int[starts.length];
        for (int i = 0; i < firsts.length; i++) {
            if (firsts[i] < 0 || firsts[i] >= ends[i] || ends[i] > length(i)) {
                throw new IllegalArgumentException("sequence " + i + " has " + length(i) + " tokens; of " + firsts[i]
                        + " to " + ends[i] + " (exclusive) nothing is left, or it is not inside");
            }
            cutStarts[i + 1] = cutStarts[i] + ends[i] - firsts[i];
        }
        if (cutStarts[firsts.length] == rows()) {
            return this;
        }
        int[] cutTokens = new int[cutStarts[firsts.length]];
        int[] cutPositions = new int[cutTokens.length];
        for (int i = 0; i < firsts.length; i++) {
            int count = ends[i] - firsts[i];
            System.arraycopy(tokens, starts[i] + firsts[i], cutTokens, cutStarts[i], count);
            System.arraycopy(positions, starts[i] + firsts[i], cutPositions, cutStarts[i], count);
        }
        return new PackedTokens(cutTokens, cutPositions, cutStarts, origin);
    }

    /** All rows of the sequences that these are the tails of; this object itself when these are all. */
    public PackedTokens whole() {
        return whole == null ? this : whole;
    }

    /** The row of {@link #whole} that each of these rows is, {@code [M]}. */
    public int[] rowsOfWhole() {
        int[] rows = new int[rows()];
        for (int i = 0; i < sequenceCount(); i++) {
            for (int row = start(i); row < start(i + 1); row++) {
                rows[row] = whole().start(i) + positions[row];
            }
        }
        return rows;
    }

    private static void check(int i, TokenSequence sequence, int vocabularySize, int contextLength) {
        if (sequence.isEmpty() || sequence.length() > contextLength) {
            throw new IllegalArgumentException("sequence " + i + " has " + sequence.length()
                    + " tokens; the model takes 1 to " + contextLength
                    + ". Shorten it, or use a model with a longer context.");
        }
        for (int t = 0; t < sequence.length(); t++) {
            if (sequence.get(t) >= vocabularySize) {
                throw outsideVocabulary(i, t, sequence.get(t), vocabularySize);
            }
        }
    }

    /** The error for a token that a model does not have. */
    public static IllegalArgumentException outsideVocabulary(
            int sequence, int position, int token, int vocabularySize) {
        return new IllegalArgumentException("sequence " + sequence + " has token " + token + " at position " + position
                + "; the model's vocabulary has " + vocabularySize
                + " tokens. Was it encoded with this model's tokenizer?");
    }

    /** Number of sequences, B. */
    public int sequenceCount() {
        return starts.length - 1;
    }

    /** Number of rows, N. */
    public int rows() {
        return tokens.length;
    }

    /** First row of sequence {@code i}; for {@code i = B}, N. */
    public int start(int i) {
        return starts[i];
    }

    /** The sequence that this row belongs to. */
    public int sequence(int row) {
        int place = Arrays.binarySearch(starts, row);
        return place >= 0 ? place : -place - 2;
    }

    /** Number of tokens of sequence {@code i}. */
    public int length(int i) {
        return starts[i + 1] - starts[i];
    }

    /** The longest sequence's number of tokens. */
    public int longest() {
        int longest = 0;
        for (int i = 0; i < sequenceCount(); i++) {
            longest = Math.max(longest, length(i));
        }
        return longest;
    }

    /** Token of each row, {@code [N]}; not to be changed. */
    public int[] tokens() {
        return tokens;
    }

    /** Position of each row within its sequence, {@code [N]}; not to be changed. */
    public int[] positions() {
        return positions;
    }

    /** The same sequences in bins, for kernels that multiply equal shapes together. */
    Bins bins() {
        Bins known = bins;
        if (known == null) {
            known = Bins.of(this);
            bins = known;
        }
        return known;
    }
}
