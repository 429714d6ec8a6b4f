package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.transformer.kernels.LogitRow;
import java.util.Arrays;

/**
 * The k largest of many values. The k-th largest of the maxima of short blocks bounds the k-th largest value from below, so
 * only the k blocks with these maxima are looked into; few of their values reach the bound, and only those are ordered.
 */
final class TopTokens {

    /** Short enough that k blocks are few of all values, long enough that there are few blocks. */
    private static final int BLOCK = 128;

    private TopTokens() {}

    /**
     * Tokens with the largest logits, the largest first, ties by lowest id.
     *
     * @param size how many of the logits count, ≥ 1
     * @param k number of tokens, in [1, size]
     */
    static int[] of(float[] logits, int size, int k) {
        float[] maxima = new float[(size + BLOCK - 1) / BLOCK];
        for (int block = 0; block < maxima.length; block++) {
            maxima[block] = LogitRow.max(logits, block * BLOCK, Math.min(size, (block + 1) * BLOCK));
        }
        int[] blocks = new DescendingTokens(maxima, all(maxima.length), maxima.length).take(Math.min(k, maxima.length));
        float bound = k <= maxima.length ? maxima[blocks[k - 1]] : Float.NEGATIVE_INFINITY;
        int[] candidates = new int[blocks.length * BLOCK];
        int count = 0;
        for (int block : blocks) {
            for (int v = block * BLOCK; v < Math.min(size, (block + 1) * BLOCK); v++) {
                candidates[count] = v;
                count += logits[v] >= bound ? 1 : 0;
            }
        }
        return new DescendingTokens(logits, candidates, count).take(k);
    }

    private static int[] all(int count) {
        int[] all = new int[count];
        Arrays.setAll(all, v -> v);
        return all;
    }
}
