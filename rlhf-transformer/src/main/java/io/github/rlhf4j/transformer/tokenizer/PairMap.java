package io.github.rlhf4j.transformer.tokenizer;

import java.util.Arrays;

/** A hash map from a pair of token ids to a number ≥ 0, without boxes; grows as needed, forgets nothing. */
final class PairMap {

    static final int ABSENT = -1;

    private static final long EMPTY = -1;

    private long[] keys;
    private int[] values;
    private int size;

    /** An empty map with room for {@code expected} pairs. */
    PairMap(int expected) {
        int capacity = Integer.highestOneBit(Math.max(8, expected)) << 2;
        keys = new long[capacity];
        values = new int[capacity];
        Arrays.fill(keys, EMPTY);
    }

    static long key(int left, int right) {
        return (long) left << 32 | right;
    }

    static int left(long key) {
        return (int) (key >>> 32);
    }

    static int right(long key) {
        return (int) key;
    }

    /** The number of this pair, or {@link #ABSENT}. */
    int get(long key) {
        int slot = slot(key);
        return keys[slot] == EMPTY ? ABSENT : values[slot];
    }

    /** Sets the number of this pair unless it has one; returns what it had, or {@link #ABSENT}. */
    int putIfAbsent(long key, int value) {
        int slot = slot(key);
        if (keys[slot] != EMPTY) {
            return values[slot];
        }
        keys[slot] = key;
        values[slot] = value;
        if (++size * 2 > keys.length) {
            grow();
        }
        return ABSENT;
    }

    private int slot(long key) {
        int mask = keys.length - 1;
        long mixed = key * 0x9E3779B97F4A7C15L; // Fibonacci hashing: the high bits depend on every bit of both ids
        int slot = (int) (mixed >>> 32) & mask;
        while (keys[slot] != EMPTY && keys[slot] != key) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] oldKeys = keys;
        int[] oldValues = values;
        keys = new long[2 * oldKeys.length];
        values = new int[keys.length];
        Arrays.fill(keys, EMPTY);
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldKeys[i] != EMPTY) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }
}
