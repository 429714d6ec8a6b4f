package io.github.rlhf4j.transformer.generation;

/**
 * Tokens from the most to the least likely, ties by lowest id, as far as somebody asks: a binary heap, O(n) to build and
 * O(log n) for each token taken.
 */
final class DescendingTokens {

    private final float[] weights;
    private final int[] heap;
    private int left;

    /**
     * Over some tokens.
     *
     * @param weights by token; must not change meanwhile
     * @param tokens the first {@code count} are meant; becomes this heap's own
     */
    DescendingTokens(float[] weights, int[] tokens, int count) {
        this.weights = weights;
        this.heap = tokens;
        this.left = count;
        for (int i = count / 2 - 1; i >= 0; i--) {
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

    /** The next token; there must be one. */
    int next() {
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
