package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Rotary positions in one pass over the queries and keys of each row. */
final class FusedRotary {

    private FusedRotary() {}

    /** @param direction 1 to turn by the angles, −1 back */
    static void rotate(AttentionShape shape, INDArray qkv, int[] positions, RotaryAngles angles, int direction) {
        int turned = shape.queryWidth() + shape.keyWidth();
        float[] table = angles.upTo(Arrays.stream(positions).max().orElse(0) + 1);
        Blocks.rows(positions.length, turned, (from, to) -> {
            float[] heads = Scratch.ofThread().take(0, turned);
            for (int row = from; row < to; row++) {
                long at = (long) row * shape.rowWidth();
                HostMemory.read(qkv, at, heads, 0, turned);
                for (int head = 0; head < turned; head += shape.headSize()) {
                    rotate(heads, head, shape.headSize() / 2, table, positions[row] * shape.headSize(), direction);
                }
                HostMemory.write(qkv, at, heads, 0, turned);
            }
        });
    }

    private static void rotate(float[] x, int at, int half, float[] table, int angle, int direction) {
        for (int i = 0; i < half; i++) {
            float cosine = table[angle + i];
            float sine = direction * table[angle + half + i];
            float first = x[at + i];
            float second = x[at + half + i];
            x[at + i] = first * cosine - second * sine;
            x[at + half + i] = second * cosine + first * sine;
        }
    }
}
