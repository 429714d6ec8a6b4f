package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import io.github.rlhf4j.transformer.model.TransformerConfig.Norm;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LayerNorm (Ba et al. 2016) or RMSNorm (Zhang and Sennrich 2019) over the channels of each row.
 *
 * @param bias null for none
 */
record Normalization(Norm norm, Parameter gain, @Nullable Parameter bias, double epsilon, Kernels kernels) {

    /** What the backward pass needs: {@code normalized [N, C]}, {@code inverseDeviation [N]}. */
    record Cache(INDArray normalized, INDArray inverseDeviation) {}

    /** {@code out [N, C]}, and what the backward pass needs. */
    record Output(INDArray out, Cache cache) {}

    static Normalization of(ParameterStore store, String name, TransformerConfig config, Kernels kernels) {
        Parameter bias = hasBias(config) ? store.get(name + ".bias") : null;
        return new Normalization(config.norm(), store.get(name + ".weight"), bias, config.normEpsilon(), kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, TransformerConfig config) {
        builder.vector(name + ".weight", config.width());
        if (hasBias(config)) {
            builder.vector(name + ".bias", config.width());
        }
    }

    private static boolean hasBias(TransformerConfig config) {
        return config.norm() == Norm.LAYER && config.biases() == Biases.ALL;
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
        switch (norm) {
            case LAYER ->
                kernels.layerNorm(
                        in,
                        gain.value(),
                        Parameter.value(bias),
                        epsilon,
                        cache.normalized(),
                        cache.inverseDeviation(),
                        out,
                        arena);
            case RMS ->
                kernels.rmsNorm(in, gain.value(), epsilon, cache.normalized(), cache.inverseDeviation(), out, arena);
        }
    }

    /** The output of {@link #forward} once more, to the same bits. */
    INDArray output(Cache cache, Arena arena) {
        INDArray out = arena.take(cache.normalized().shape());
        kernels.scaleAndShift(cache.normalized(), gain.value(), Parameter.value(bias), out);
        return out;
    }

    /** Adds the gradient of its input to {@code dIn}. */
    void backward(INDArray dOut, Cache cache, INDArray dIn, Arena arena) {
        switch (norm) {
            case LAYER ->
                kernels.layerNormBackward(
                        dOut,
                        gain.value(),
                        cache.normalized(),
                        cache.inverseDeviation(),
                        dIn,
                        Parameter.gradient(gain),
                        Parameter.gradient(bias),
                        arena);
            case RMS ->
                kernels.rmsNormBackward(
                        dOut,
                        gain.value(),
                        cache.normalized(),
                        cache.inverseDeviation(),
                        dIn,
                        Parameter.gradient(gain),
                        arena);
        }
    }
}
