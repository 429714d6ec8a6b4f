package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** GELU in one pass each way. The backward pass computes the sigmoid again: cheaper than to keep it. */
final class FusedGelu {

    /** Room behind a block for the loops' last vector; what is computed there is not used. */
    private static final int PADDING = 16;

    private FusedGelu() {}

    static void forward(INDArray in, INDArray out) {
        Blocks.elements(in.length(), (block, offset, length) -> {
            float[] x = Scratch.ofThread().take(0, length + PADDING);
            float[] y = Scratch.ofThread().take(1, length + PADDING);
            HostMemory.read(in, offset, x, 0, length);
            VectorLoops.ACTIVE.gelu(x, y, length);
            HostMemory.write(out, offset, y, 0, length);
        });
    }

    /** Mirrors {@link #forward}. */
    static void backward(INDArray dOut, INDArray in, INDArray dIn) {
        Blocks.elements(in.length(), (block, offset, length) -> {
            float[] x = Scratch.ofThread().take(0, length + PADDING);
            float[] d = Scratch.ofThread().take(1, length + PADDING);
            HostMemory.read(in, offset, x, 0, length);
            HostMemory.read(dOut, offset, d, 0, length);
            VectorLoops.ACTIVE.geluGradient(x, d, length);
            HostMemory.write(dIn, offset, d, 0, length);
        });
    }
}
