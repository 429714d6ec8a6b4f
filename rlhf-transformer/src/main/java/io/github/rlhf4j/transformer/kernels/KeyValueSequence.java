package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of one sequence in one layer, in blocks of {@value #BLOCK} positions. Nothing is copied as it grows, and
 * sequences that begin alike share the blocks that are full.
 */
final class KeyValueSequence {

    /** Positions of a block; whole vectors on every processor. */
    static final int BLOCK = KeyValueCache.GROWTH;

    /** Rows of values are padded to whole vectors of up to this many floats. */
    private static final int PADDING = 16;

    private final int heads;
    private final int headSize;
    private final List<Block> blocks = new ArrayList<>();

    KeyValueSequence(int heads, int headSize) {
        this.heads = heads;
        this.headSize = headSize;
    }

    /**
     * Up to {@link #BLOCK} positions.
     *
     * @param keys {@code [K, D, BLOCK]}: a row per component, so that scores are sums of rows
     * @param values {@code [K, BLOCK, padded D]}
     */
    record Block(float[] keys, float[] values) {

        Block copy() {
            return new Block(keys.clone(), values.clone());
        }
    }

    /** D, padded. */
    static int padded(int headSize) {
        return (headSize + PADDING - 1) / PADDING * PADDING;
    }

    Block block(int number) {
        return blocks.get(number);
    }

    /** Stores a position; {@code key} and {@code value} hold the K heads side by side, {@code [K·D]}. */
    void put(int position, float[] key, float[] value) {
        while (blocks.size() <= position / BLOCK) {
            blocks.add(new Block(new float[heads * headSize * BLOCK], new float[heads * BLOCK * padded(headSize)]));
        }
        Block block = blocks.get(position / BLOCK);
        int place = position % BLOCK;
        for (int i = 0; i < heads * headSize; i++) {
            block.keys()[i * BLOCK + place] = key[i];
        }
        for (int h = 0; h < heads; h++) {
            System.arraycopy(value, h * headSize, block.values(), (h * BLOCK + place) * padded(headSize), headSize);
        }
    }

    /** A sequence that begins with the first {@code length} positions of this one. */
    KeyValueSequence beginning(int length) {
        KeyValueSequence copy = new KeyValueSequence(heads, headSize);
        for (int number = 0; number * BLOCK < length; number++) {
            boolean full = (number + 1) * BLOCK <= length;
            copy.blocks.add(full ? blocks.get(number) : blocks.get(number).copy());
        }
        return copy;
    }
}
