package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rotary positions by ND4J operations: for each head, products of its two halves with cosines and sines {@code [N, D/2]}. */
final class Nd4jRotary {

    private Nd4jRotary() {}

    /** @param direction 1 to turn by the angles, −1 back */
    static void rotate(
            AttentionShape shape, INDArray qkv, int[] positions, RotaryAngles angles, int direction, Arena arena) {
        int half = shape.headSize() / 2;
        Arena.Mark mark = arena.mark();
        INDArray first = arena.take(positions.length, half);
        INDArray second = arena.take(positions.length, half);
        INDArray product = arena.take(positions.length, half);
        try (INDArray cosines = table(positions, half, angles::cosine, 1, qkv.dataType());
                INDArray sines = table(positions, half, angles::sine, direction, qkv.dataType())) {
            for (int head = 0; head < shape.heads() + shape.keyValueHeads(); head++) {
                INDArray left = Nd4jKernels.columns(qkv, (long) head * shape.headSize(), half);
                INDArray right = Nd4jKernels.columns(qkv, (long) head * shape.headSize() + half, half);
                first.assign(left);
                second.assign(right);
                left.assign(first.muli(cosines, product));
                left.subi(second.muli(sines, product));
                right.assign(second.muli(cosines, product));
                right.addi(first.muli(sines, product));
            }
        }
        arena.release(mark);
    }

    /** A function of position and pair of channels. */
    @FunctionalInterface
    private interface Angle {
        double of(int position, int pair);
    }

    private static INDArray table(int[] positions, int half, Angle angle, double factor, DataType type) {
        double[] values = new double[Math.multiplyExact(positions.length, half)];
        for (int row = 0; row < positions.length; row++) {
            for (int i = 0; i < half; i++) {
                values[row * half + i] = factor * angle.of(positions[row], i);
            }
        }
        INDArray vector = Nd4jKernels.columnOf(values, type);
        return vector.reshape('c', positions.length, half);
    }
}
