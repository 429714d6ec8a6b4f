package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.kernels.Kernels.AdamWStep;
import io.github.rlhf4j.transformer.kernels.Kernels.DecayedRange;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** AdamW in one pass over the four flat buffers. */
final class FusedAdamW {

    private FusedAdamW() {}

    /** Euclidean norm, summed in double over fixed blocks, whose sums are added in order. */
    static double norm(INDArray vector) {
        double[] squares = new double[Blocks.count(vector.length())];
        Blocks.elements(vector.length(), (block, offset, length) -> {
            float[] x = Scratch.ofThread().take(0, length);
            HostMemory.read(vector, offset, x, 0, length);
            squares[block] = VectorLoops.ACTIVE.dot(x, 0, length, x, 0);
        });
        double sum = 0;
        for (double square : squares) {
            sum += square;
        }
        return Math.sqrt(sum);
    }

    static void update(
            AdamWStep step,
            INDArray values,
            INDArray gradients,
            INDArray firstMoment,
            INDArray secondMoment,
            List<DecayedRange> decayed) {
        float[] zeros = Scratch.ofThread().takeZeros(Scratch.HELD, Blocks.FLOATS);
        Blocks.elements(values.length(), (block, offset, length) -> {
            Scratch scratch = Scratch.ofThread();
            float[] w = scratch.take(0, length);
            float[] g = scratch.take(1, length);
            float[] m = scratch.take(2, length);
            float[] v = scratch.take(3, length);
            HostMemory.read(values, offset, w, 0, length);
            HostMemory.read(gradients, offset, g, 0, length);
            HostMemory.read(firstMoment, offset, m, 0, length);
            HostMemory.read(secondMoment, offset, v, 0, length);
            if (step.decay() != 1) {
                decay((float) step.decay(), w, offset, length, decayed);
            }
            moments(step, g, m, v, length);
            move(step, w, m, v, length);
            HostMemory.write(values, offset, w, 0, length);
            HostMemory.write(firstMoment, offset, m, 0, length);
            HostMemory.write(secondMoment, offset, v, 0, length);
            HostMemory.write(gradients, offset, zeros, 0, length);
        });
    }

    /** Of the elements {@code [offset, offset + length)} those in a decayed range, times {@code factor}. */
    private static void decay(float factor, float[] w, long offset, int length, List<DecayedRange> decayed) {
        for (DecayedRange range : decayed) {
            int from = (int) Math.max(0, Math.min(length, range.from() - offset));
            int to = (int) Math.max(0, Math.min(length, range.to() - offset));
            for (int i = from; i < to; i++) {
                w[i] *= factor;
            }
        }
    }

    /** {@code m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²}, g clipped first. */
    private static void moments(AdamWStep step, float[] g, float[] m, float[] v, int length) {
        float scale = (float) step.gradientScale();
        float beta1 = (float) step.beta1();
        float beta2 = (float) step.beta2();
        float rest1 = (float) (1 - step.beta1());
        float rest2 = (float) (1 - step.beta2());
        for (int i = 0; i < length; i++) {
            g[i] *= scale;
        }
        for (int i = 0; i < length; i++) {
            m[i] = beta1 * m[i] + rest1 * g[i];
        }
        for (int i = 0; i < length; i++) {
            v[i] = beta2 * v[i] + rest2 * (g[i] * g[i]);
        }
    }

    /** {@code w = w − stepSize·m/(√v·rootScale + ε)}. */
    private static void move(AdamWStep step, float[] w, float[] m, float[] v, int length) {
        float stepSize = (float) step.stepSize();
        float rootScale = (float) step.rootScale();
        float epsilon = (float) step.epsilon();
        for (int i = 0; i < length; i++) {
            w[i] -= stepSize * (m[i] / ((float) Math.sqrt(v[i]) * rootScale + epsilon));
        }
    }
}
