package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.transformer.kernels.LogitRow;

/**
 * The weights e^((logit − max)/τ) of a row of logits, and their sums block by block, so that a draw walks over blocks and
 * then over the tokens of one. Memory is kept from row to row.
 */
final class TokenWeights {

    private float[] weights = {};
    private double[] blockSums = {};
    private int size;
    private double total;

    /**
     * Takes the first {@code size} logits of a row.
     *
     * @param max the largest of these
     * @param temperature τ &gt; 0
     */
    void fill(float[] logits, int tokens, float max, double temperature) {
        size = tokens;
        total = 0;
        if (weights.length < size) {
            weights = new float[size];
            blockSums = new double[(size + LogitRow.BLOCK - 1) / LogitRow.BLOCK];
        }
        for (int from = 0; from < size; from += LogitRow.BLOCK) {
            double sum = LogitRow.weigh(logits, max, temperature, weights, from, end(from));
            blockSums[from / LogitRow.BLOCK] = sum;
            total += sum;
        }
    }

    private int end(int from) {
        return Math.min(from + LogitRow.BLOCK, size);
    }

    int size() {
        return size;
    }

    /** Sum of all weights. */
    double total() {
        return total;
    }

    float get(int token) {
        return weights[token];
    }

    /** The weights by token; those from {@link #size} on mean nothing. */
    float[] array() {
        return weights;
    }

    /**
     * The token at a place of the cumulative distribution.
     *
     * @param place in [0, 1)
     */
    int at(double place) {
        double target = place * total;
        int from = 0;
        double below = 0;
        while (end(from) < size && below + blockSums[from / LogitRow.BLOCK] <= target) {
            below += blockSums[from / LogitRow.BLOCK];
            from += LogitRow.BLOCK;
        }
        return inBlock(from, Math.min(1, (target - below) / blockSums[from / LogitRow.BLOCK]));
    }

    /** Against the block's sum in double, so that rounding of the one in float goes to no token in particular. */
    private int inBlock(int from, double place) {
        double sum = 0;
        for (int v = from; v < end(from); v++) {
            sum += weights[v];
        }
        double target = place * sum;
        double below = 0;
        int last = from;
        for (int v = from; v < end(from); v++) {
            double upTo = below + weights[v];
            if (upTo > target) {
                return v;
            }
            last = upTo > below ? v : last;
            below = upTo;
        }
        return last; // rounding put the target on the sum
    }
}
