package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The feed-forward layer of a block: widen to F, GELU, narrow to C; GPT-2's names. */
record FeedForward(Linear widen, Linear narrow, Kernels kernels) {

    /** {@code in [N, C]}, {@code wide [N, F]}, {@code active [N, F]}. */
    record Cache(INDArray in, INDArray wide, INDArray active) {}

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
        INDArray active = arena.take(wide.shape());
        kernels.gelu(wide, active, arena);
        return new Cache(in, wide, active);
    }

    INDArray backward(INDArray dOut, Cache cache, Arena arena) {
        INDArray dActive = narrow.backward(dOut, cache.active(), arena);
        INDArray dWide = arena.take(dActive.shape());
        kernels.geluBackward(dActive, cache.wide(), dWide, arena);
        return widen.backward(dWide, cache.in(), arena);
    }
}
