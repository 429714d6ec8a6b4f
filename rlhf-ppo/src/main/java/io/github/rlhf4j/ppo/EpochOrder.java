package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.random.RandomKey;

/**
 * An endless order over {@code size} items: each epoch a new permutation, each item once in it. The item at a position is
 * a function of the key and the position, so a resumed run continues where it was.
 */
record EpochOrder(RandomKey key, int size) {

    /** The items at positions {@code from … from + count − 1}. */
    int[] take(long from, int count) {
        int[] items = new int[count];
        long epoch = -1;
        int[] order = {};
        for (int i = 0; i < count; i++) {
            long position = from + i;
            if (position / size != epoch) {
                epoch = position / size;
                order = key.child(epoch).permutation(size);
            }
            items[i] = order[(int) (position % size)];
        }
        return items;
    }
}
