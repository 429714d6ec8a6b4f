package io.github.rlhf4j.core;

import java.util.Arrays;
import java.util.stream.IntStream;

/** An immutable sequence of token ids, possibly empty. */
public final class TokenSequence {

    private static final TokenSequence EMPTY = new TokenSequence(new int[0]);

    private final int[] ids;

    private TokenSequence(int[] ids) {
        this.ids = ids;
    }

    /**
     * A sequence of these ids; the array is copied.
     *
     * @throws IllegalArgumentException when an id is negative
     */
    public static TokenSequence of(int... ids) {
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0) {
                throw new IllegalArgumentException("token id " + ids[i] + " at index " + i
                        + " is negative; ids start at 0. Was the text encoded with the tokenizer of this model?");
            }
        }
        return ids.length == 0 ? EMPTY : new TokenSequence(ids.clone());
    }

    public static TokenSequence empty() {
        return EMPTY;
    }

    public int length() {
        return ids.length;
    }

    public boolean isEmpty() {
        return ids.length == 0;
    }

    /** The id at {@code index}, which must lie in {@code [0, length)}. */
    public int get(int index) {
        return ids[index];
    }

    /** The tokens from {@code from} (inclusive) to {@code to} (exclusive). */
    public TokenSequence slice(int from, int to) {
        return new TokenSequence(Arrays.copyOfRange(ids, checkFrom(from, to), to));
    }

    private int checkFrom(int from, int to) {
        if (from < 0 || to < from || to > ids.length) {
            throw new IndexOutOfBoundsException(
                    "slice [" + from + ", " + to + ") of a sequence of " + ids.length + " tokens");
        }
        return from;
    }

    public TokenSequence concat(TokenSequence other) {
        int[] joined = Arrays.copyOf(ids, ids.length + other.ids.length);
        System.arraycopy(other.ids, 0, joined, ids.length, other.ids.length);
        return new TokenSequence(joined);
    }

    /** A copy of the ids. */
    public int[] toArray() {
        return ids.clone();
    }

    public IntStream stream() {
        return Arrays.stream(ids);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof TokenSequence other && Arrays.equals(ids, other.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    @Override
    public String toString() {
        return Arrays.toString(ids);
    }
}
