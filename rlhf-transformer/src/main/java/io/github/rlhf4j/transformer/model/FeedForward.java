package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The feed-forward layer of a block: widen to F, GELU, narrow to C; GPT-2's names. */
record FeedForward(Linear widen, Linear narrow, Kernels kernels) {

    /** {@code wide [N, F]}, before the non-linearity, and {@code active [N, F]}, behind it. */
    record Cache(INDArray wide, INDArray active) {}

    static FeedForward of(ParameterStore store, String name, Kernels kernels) {
        return new FeedForward(
                Linear.of(store, name + ".c_fc", kernels), Linear.of(store, name + ".c_proj", kernels), kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long width, long feedForwardWidth) {
        Linear.declare(builder, name + ".c_fc", width, feedForwardWidth);
        Linear.declare(builder, name + ".c_proj", feedForwardWidth, width);
    }

    /** All but the narrowing, which {@link ResidualBranch} adds to the stream. */
    Cache forward(INDArray in, Arena arena) {
        INDArray wide = widen.forward(in, arena);
        return new Cache(wide, activate(wide, arena));
    }

    INDArray activate(INDArray wide, Arena arena) {
        INDArray active = arena.take(wide.shape());
        kernels.gelu(wide, active, arena);
        return active;
    }

    /**
     * Mirrors {@link #forward}; the activations are computed again, which costs less than to keep them.
     *
     * @param in what {@link #forward} was given
     * @param wide what it kept, {@code [N, F]}
     */
    INDArray backward(INDArray dOut, INDArray in, INDArray wide, Arena arena) {
        INDArray active = activate(wide, arena);
        INDArray dActive = narrow.backward(dOut, active, arena);
        INDArray dWide = active; // the activations have served, their memory serves again
        kernels.geluBackward(dActive, wide, dWide, arena);
        return widen.backward(dWide, in, arena);
    }
}
