package io.github.rlhf4j.transformer.kernels;

/**
 * Heads of attention. A row of projected queries, keys and values holds H heads of queries, then K of keys, then K of values,
 * each D wide; query head h reads key-value head {@code h / (H/K)}.
 *
 * @param heads H, ≥ 1
 * @param keyValueHeads K, a divisor of H
 * @param headSize D, ≥ 1
 */
public record AttentionShape(int heads, int keyValueHeads, int headSize) {

    public AttentionShape {
        if (heads < 1 || keyValueHeads < 1 || heads % keyValueHeads != 0 || headSize < 1) {
            throw new IllegalArgumentException("attention needs heads and a divisor of them as keyValueHeads, each of"
                    + " headSize ≥ 1, got " + heads + ", " + keyValueHeads + ", " + headSize);
        }
    }

    /** H heads with keys and values of their own. */
    public static AttentionShape multiHead(int heads, int headSize) {
        return new AttentionShape(heads, heads, headSize);
    }

    /** Query heads that share a key-value head, H/K. */
    public int group() {
        return heads / keyValueHeads;
    }

    /** H·D: columns of the queries, and of what attention mixes. */
    public int queryWidth() {
        return heads * headSize;
    }

    /** K·D: columns of the keys, and of the values. */
    public int keyWidth() {
        return keyValueHeads * headSize;
    }

    /** (H + 2K)·D. */
    public int rowWidth() {
        return queryWidth() + 2 * keyWidth();
    }

    /** Where the keys begin in a row. */
    public int keysFrom() {
        return queryWidth();
    }

    /** Where the values begin in a row. */
    public int valuesFrom() {
        return queryWidth() + keyWidth();
    }
}
