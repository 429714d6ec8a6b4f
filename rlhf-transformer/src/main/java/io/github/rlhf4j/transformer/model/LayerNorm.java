package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LayerNorm over the channels of each row (Ba et al. 2016), with gain and bias. */
record LayerNorm(Parameter gain, Parameter bias, double epsilon, Kernels kernels) {

    /** What the backward pass needs: {@code normalized [N, C]}, {@code inverseDeviation [N]}. */
    record Cache(INDArray normalized, INDArray inverseDeviation) {}

    /** {@code out [N, C]}, and what the backward pass needs. */
    record Output(INDArray out, Cache cache) {}

    static LayerNorm of(ParameterStore store, String name, double epsilon, Kernels kernels) {
        return new LayerNorm(store.get(name + ".weight"), store.get(name + ".bias"), epsilon, kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long width) {
        builder.vector(name + ".weight", width).vector(name + ".bias", width);
    }

    /** Room for what a pass over this many rows keeps. */
    Cache takeCache(long rows, Arena arena) {
        return new Cache(arena.take(rows, gain.length()), arena.take(rows));
    }

    Output forward(INDArray in, Arena arena) {
        INDArray out = arena.take(in.shape());
        Cache cache = takeCache(in.size(0), arena);
        forward(in, cache, out, arena);
        return new Output(out, cache);
    }

    /** Fills the cache; returns the output, which {@link #output} gives again. */
    INDArray forward(INDArray in, Cache cache, Arena arena) {
        INDArray out = arena.take(in.shape());
        forward(in, cache, out, arena);
        return out;
    }

    private void forward(INDArray in, Cache cache, INDArray out, Arena arena) {
        kernels.layerNorm(
                in, gain.value(), bias.value(), epsilon, cache.normalized(), cache.inverseDeviation(), out, arena);
    }

    /** The output of {@link #forward} once more, to the same bits. */
    INDArray output(Cache cache, Arena arena) {
        INDArray out = arena.take(cache.normalized().shape());
        kernels.scaleAndShift(cache.normalized(), gain.value(), bias.value(), out);
        return out;
    }

    /** Adds the gradient of its input to {@code dIn}. */
    void backward(INDArray dOut, Cache cache, INDArray dIn, Arena arena) {
        kernels.layerNormBackward(
                dOut,
                gain.value(),
                cache.normalized(),
                cache.inverseDeviation(),
                dIn,
                gain.gradient(),
                bias.gradient(),
                arena);
    }
}
