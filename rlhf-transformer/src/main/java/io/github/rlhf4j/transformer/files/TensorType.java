package io.github.rlhf4j.transformer.files;

import java.util.Arrays;

/**
 * Element types of tensor files: plain numbers, and llama.cpp's quantised types, whose unit is a block of 32 or 256
 * neighbours in a row. {@link #isReadable} says which become numbers here.
 */
public enum TensorType {
    F64(1, 8),
    F32(1, 4),
    F16(1, 2),
    BF16(1, 2),
    I64(1, 8),
    I32(1, 4),
    I16(1, 2),
    I8(1, 1),
    U64(1, 8),
    U32(1, 4),
    U16(1, 2),
    U8(1, 1),
    BOOL(1, 1),
    Q4_0(32, 18),
    Q4_1(32, 20),
    Q5_0(32, 22),
    Q5_1(32, 24),
    Q8_0(32, 34),
    Q4_K(256, 144),
    Q5_K(256, 176),
    Q6_K(256, 210);

    private final int blockLength;
    private final int blockBytes;

    TensorType(int blockLength, int blockBytes) {
        this.blockLength = blockLength;
        this.blockBytes = blockBytes;
    }

    /** Elements of one block; 1 for plain numbers. */
    public int blockLength() {
        return blockLength;
    }

    /** Bytes of one block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether elements share a block, with a scale of its own. */
    public boolean isQuantized() {
        return blockLength > 1;
    }

    /** F64, F32, F16, BF16. */
    public boolean isFloatingPoint() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /** Whether {@link TensorFile#read} turns it into numbers: the floating-point and the quantised types. */
    public boolean isReadable() {
        return isFloatingPoint() || isQuantized();
    }

    /**
     * Bytes of a tensor.
     *
     * @param shape row-major; empty for a scalar
     * @throws IllegalArgumentException when a dimension is negative, the last one is no multiple of the block, or the
     *     product is larger than any file
     */
    public long bytes(long... shape) {
        long rowLength = shape.length == 0 ? 1 : shape[shape.length - 1];
        if (rowLength % blockLength != 0) {
            throw new IllegalArgumentException("the last dimension of shape " + Arrays.toString(shape)
                    + " must be a multiple of " + blockLength + ", the block of " + this);
        }
        long bytes = blockBytes;
        try {
            for (int i = 0; i < shape.length; i++) {
                if (shape[i] < 0) {
                    throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " has a negative dimension");
                }
                bytes = Math.multiplyExact(bytes, i == shape.length - 1 ? shape[i] / blockLength : shape[i]);
            }
            return bytes;
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("shape " + Arrays.toString(shape) + " is too large for any file", e);
        }
    }
}
