package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LayerNorm over the channels of each row (Ba et al. 2016), with gain and bias. */
record LayerNorm(Parameter gain, Parameter bias, double epsilon, Kernels kernels) {

    /** What the backward pass needs: {@code normalized [N, C]}, {@code inverseDeviation [N]}; and the output. */
    record Cache(INDArray out, INDArray normalized, INDArray inverseDeviation) {}

    static LayerNorm of(ParameterStore store, String name, double epsilon, Kernels kernels) {
        return new LayerNorm(store.get(name + ".weight"), store.get(name + ".bias"), epsilon, kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long width) {
        builder.vector(name + ".weight", width).vector(name + ".bias", width);
    }

    Cache forward(INDArray in, Arena arena) {
        INDArray out = arena.take(in.shape());
        INDArray normalized = arena.take(in.shape());
        INDArray inverseDeviation = arena.take(in.size(0));
        kernels.layerNorm(in, gain.value(), bias.value(), epsilon, normalized, inverseDeviation, out, arena);
        return new Cache(out, normalized, inverseDeviation);
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
