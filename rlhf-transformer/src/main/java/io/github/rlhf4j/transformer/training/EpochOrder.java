package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.random.RandomKey;

/**
 * Examples in epochs, each of which goes through all of them in an order of its own. What comes as the i-th of the run is a
 * function of the key and i, so a resumed run goes on where it was.
 */
final class EpochOrder {

    private final int size;
    private final RandomKey key;
    private long cachedEpoch = -1;
    private int[] cachedOrder = new int[0];

    EpochOrder(int size, RandomKey key) {
        this.size = size;
        this.key = key;
    }

    int size() {
        return size;
    }

    long epoch(long index) {
        return index / size;
    }

    /** The example that comes as the {@code index}-th of the run. */
    int at(long index) {
        if (epoch(index) != cachedEpoch) {
            cachedEpoch = epoch(index);
            cachedOrder = key.child(cachedEpoch).permutation(size);
        }
        return cachedOrder[(int) (index % size)];
    }
}
