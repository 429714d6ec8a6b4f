package io.github.rlhf4j.core;

import java.util.Arrays;

/**
 * A token sequence with the positions whose tokens are actions: those a policy is asked to score and may be trained on.
 *
 * <p>For a prompt and its response, the positions are those of the response, stop token included. Several turns with
 * other people's tokens between them are the same thing with gaps. Row {@code i} of every {@code double[][]} of a batch
 * has one entry per scored position of sequence {@code i}, in order.
 */
public final class ScoredSequence {

    private final TokenSequence tokens;
    private final int[] positions;

    private ScoredSequence(TokenSequence tokens, int[] positions) {
        this.tokens = tokens;
        this.positions = positions;
    }

    /**
     * A sequence with these scored positions, ascending, each in {@code [1, tokens.length())}: the first token of a
     * sequence has no context, so no log-probability.
     *
     * @throws IllegalArgumentException when a position breaks the rule
     */
    public static ScoredSequence of(TokenSequence tokens, int[] positions) {
        int previous = 0;
        for (int position : positions) {
            if (position <= previous || position >= tokens.length()) {
                throw new IllegalArgumentException("scored positions must ascend within [1, " + tokens.length()
                        + "), got " + position + (previous > 0 ? " after " + previous : "")
                        + "; the first token of a sequence cannot be scored (give the model a start token)");
            }
            previous = position;
        }
        return new ScoredSequence(tokens, positions.clone());
    }

    /** A prompt of at least one token and the response to it, every token of which is scored. */
    public static ScoredSequence of(TokenSequence prompt, TokenSequence response) {
        if (prompt.isEmpty()) {
            throw new IllegalArgumentException("the prompt is empty, so the first response token has no context;"
                    + " begin the prompt with a start token such as <|endoftext|>");
        }
        return new ScoredSequence(prompt.concat(response), range(prompt.length(), prompt.length() + response.length()));
    }

    /** A whole text: every token but the first is scored. */
    public static ScoredSequence ofText(TokenSequence tokens) {
        return new ScoredSequence(tokens, range(1, Math.max(1, tokens.length())));
    }

    private static int[] range(int from, int to) {
        int[] positions = new int[to - from];
        Arrays.setAll(positions, i -> from + i);
        return positions;
    }

    public TokenSequence tokens() {
        return tokens;
    }

    /** Number of tokens, scored or not. */
    public int length() {
        return tokens.length();
    }

    /** Number of scored positions. */
    public int scoredCount() {
        return positions.length;
    }

    /** Position in {@link #tokens()} of the {@code i}-th scored token. */
    public int position(int i) {
        return positions[i];
    }

    /** A copy of the scored positions, ascending. */
    public int[] positions() {
        return positions.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof ScoredSequence other
                && tokens.equals(other.tokens)
                && Arrays.equals(positions, other.positions);
    }

    @Override
    public int hashCode() {
        return 31 * tokens.hashCode() + Arrays.hashCode(positions);
    }

    @Override
    public String toString() {
        return "ScoredSequence" + tokens + "@" + Arrays.toString(positions);
    }
}
