package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.kernels.Kernels.Gate;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Gated linear units in one pass each way, row by row; the backward pass computes the gate again. */
final class FusedGate {

    /** Room behind a row for the loops' last vector; what is computed there is not used. */
    private static final int PADDING = 16;

    private FusedGate() {}

    static void forward(Gate gate, INDArray in, INDArray out) {
        int f = (int) out.size(1);
        Blocks.rows((int) out.size(0), 2 * f, (from, to) -> {
            float[] x = Scratch.ofThread().take(0, f + PADDING);
            float[] up = Scratch.ofThread().take(1, f);
            float[] y = Scratch.ofThread().take(2, f + PADDING);
            for (long row = from; row < to; row++) {
                HostMemory.read(in, row * 2 * f, x, 0, f);
                HostMemory.read(in, row * 2 * f + f, up, 0, f);
                activate(gate, x, y, f);
                multiply(y, up, y, f);
                HostMemory.write(out, row * f, y, 0, f);
            }
        });
    }

    /** Mirrors {@link #forward}. */
    static void backward(Gate gate, INDArray dOut, INDArray in, INDArray dIn) {
        int f = (int) dOut.size(1);
        Blocks.rows((int) dOut.size(0), 2 * f, (from, to) -> {
            float[] x = Scratch.ofThread().take(0, f + PADDING);
            float[] up = Scratch.ofThread().take(1, f);
            float[] d = Scratch.ofThread().take(2, f);
            float[] y = Scratch.ofThread().take(3, f + PADDING);
            for (long row = from; row < to; row++) {
                HostMemory.read(in, row * 2 * f, x, 0, f);
                HostMemory.read(in, row * 2 * f + f, up, 0, f);
                HostMemory.read(dOut, row * f, d, 0, f);
                activate(gate, x, y, f);
                multiply(y, d, y, f);
                HostMemory.write(dIn, row * 2 * f + f, y, 0, f);
                multiply(up, d, y, f);
                activateGradient(gate, x, y, f);
                HostMemory.write(dIn, row * 2 * f, y, 0, f);
            }
        });
    }

    private static void activate(Gate gate, float[] x, float[] y, int length) {
        switch (gate) {
            case SILU -> VectorLoops.ACTIVE.silu(x, y, length);
            case GELU -> VectorLoops.ACTIVE.gelu(x, y, length);
        }
    }

    private static void activateGradient(Gate gate, float[] x, float[] d, int length) {
        switch (gate) {
            case SILU -> VectorLoops.ACTIVE.siluGradient(x, d, length);
            case GELU -> VectorLoops.ACTIVE.geluGradient(x, d, length);
        }
    }

    private static void multiply(float[] a, float[] b, float[] product, int length) {
        for (int i = 0; i < length; i++) {
            product[i] = a[i] * b[i];
        }
    }
}
