package io.github.rlhf4j.core.random;

/**
 * An endless order over {@code size} items: each epoch a new permutation, each item once in it. The item at a position is
 * a function of the key and the position, so a resumed run continues where it was.
 *
 * @param key of the permutations
 * @param size number of items; nothing can be taken from none
 */
public record EpochOrder(RandomKey key, int size) {

    /** The items at positions {@code from … from + count − 1}. */
    public int[] take(long from, int count) {
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
