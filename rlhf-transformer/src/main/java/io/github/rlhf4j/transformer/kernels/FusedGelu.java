package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** GELU in one pass each way. */
final class FusedGelu {

    private static final float SCALE = (float) Math.sqrt(2 / Math.PI);
    private static final float CUBIC = 0.044715f;

    private FusedGelu() {}

    static void forward(INDArray in, INDArray tanh, INDArray out) {
        Blocks.elements(in.length(), (block, offset, length) -> {
            Scratch scratch = Scratch.ofThread();
            float[] x = scratch.take(0, length);
            float[] u = scratch.take(1, length);
            float[] t = scratch.take(2, length);
            HostMemory.read(in, offset, x, 0, length);
            inner(x, u, length);
            FloatMath.tanh(u, t, 0, length);
            outer(x, t, u, length);
            HostMemory.write(tanh, offset, t, 0, length);
            HostMemory.write(out, offset, u, 0, length);
        });
    }

    /** {@code u = √(2/π)(x + 0.044715·x³)}. */
    private static void inner(float[] x, float[] u, int length) {
        for (int i = 0; i < length; i++) {
            u[i] = SCALE * x[i] * (1 + CUBIC * x[i] * x[i]);
        }
    }

    /** {@code out = ½·x·(1 + t)}. */
    private static void outer(float[] x, float[] t, float[] out, int length) {
        for (int i = 0; i < length; i++) {
            out[i] = 0.5f * x[i] * (1 + t[i]);
        }
    }

    /** Mirrors {@link #forward}. */
    static void backward(INDArray dOut, INDArray in, INDArray tanh, INDArray dIn) {
        Blocks.elements(in.length(), (block, offset, length) -> {
            Scratch scratch = Scratch.ofThread();
            float[] x = scratch.take(0, length);
            float[] d = scratch.take(1, length);
            float[] t = scratch.take(2, length);
            HostMemory.read(in, offset, x, 0, length);
            HostMemory.read(dOut, offset, d, 0, length);
            HostMemory.read(tanh, offset, t, 0, length);
            slope(x, t, d, length);
            HostMemory.write(dIn, offset, d, 0, length);
        });
    }

    /** {@code d = d·(½(1 + t) + ½·x·(1 − t²)·√(2/π)(1 + 3·0.044715·x²))}. */
    private static void slope(float[] x, float[] t, float[] d, int length) {
        for (int i = 0; i < length; i++) {
            float inner = SCALE * (1 + 3 * CUBIC * x[i] * x[i]);
            d[i] *= 0.5f * (1 + t[i] + x[i] * (1 - t[i] * t[i]) * inner);
        }
    }
}
