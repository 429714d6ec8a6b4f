package io.github.rlhf4j.transformer.generation;

import java.util.Arrays;

/**
 * Tokens from the most to the least likely, ties by lowest id, as far as somebody asks: a binary heap, O(V) to build and
 * O(log V) for each token taken.
 */
final class DescendingTokens {

    private final double[] weights;
    private final int[] heap;
    private int left;

    /** Over the first {@code size} weights, which must not change meanwhile. */
    DescendingTokens(double[] weights, int size) {
        this.weights = weights;
        this.heap = new int[size];
        Arrays.setAll(heap, v -> v);
        this.left = size;
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(i);
        }
    }

    /** The next {@code count} tokens; there must be as many. */
    int[] take(int count) {
        int[] taken = new int[count];
        for (int i = 0; i < count; i++) {
            taken[i] = next();
        }
        return taken;
    }

    /** The next tokens up to and including the one with which their share of all weight reaches {@code share}. */
    int[] takeMass(double share) {
        double total = 0;
        for (int i = 0; i < left; i++) {
            total += weights[heap[i]];
        }
        int[] taken = new int[16];
        int count = 0;
        double mass = 0;
        do {
            if (count == taken.length) {
                taken = Arrays.copyOf(taken, 2 * count);
            }
            int token = next();
            taken[count++] = token;
            mass += weights[token];
        } while (left > 0 && mass < share * total);
        return Arrays.copyOf(taken, count);
    }

    private int next() {
        int top = heap[0];
        heap[0] = heap[--left];
        siftDown(0);
        return top;
    }

    private void siftDown(int from) {
        int token = heap[from];
        int hole = from;
        for (int child = 2 * hole + 1; child < left; child = 2 * hole + 1) {
            if (child + 1 < left && before(heap[child + 1], heap[child])) {
                child++;
            }
            if (!before(heap[child], token)) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
        }
        heap[hole] = token;
    }

    private boolean before(int a, int b) {
        return weights[a] > weights[b] || (weights[a] == weights[b] && a < b);
    }
}
