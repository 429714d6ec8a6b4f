package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer: {@code out [N, M] = in [N, K] · weight [K, M] + bias [M]}.
 *
 * @param bias null for none
 */
record Linear(Parameter weight, @Nullable Parameter bias, Kernels kernels) {

    static Linear of(ParameterStore store, String name, Kernels kernels) {
        Parameter bias = store.contains(name + ".bias") ? store.get(name + ".bias") : null;
        return new Linear(store.get(name + ".weight"), bias, kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long in, long out, boolean bias) {
        builder.matrix(name + ".weight", in, out);
        if (bias) {
            builder.vector(name + ".bias", out);
        }
    }

    /** K. */
    long inputs() {
        return weight.shape()[0];
    }

    /** M. */
    long outputs() {
        return weight.shape()[1];
    }

    INDArray forward(INDArray in, Arena arena) {
        INDArray out = arena.take(in.size(0), outputs());
        forward(in, out);
        return out;
    }

    void forward(INDArray in, INDArray out) {
        kernels.linear(in, weight.value(), Parameter.value(bias), out);
    }

    /** Adds the output to {@code sum [N, M]}: a branch of a residual stream. */
    void addTo(INDArray sum, INDArray in) {
        kernels.addLinear(in, weight.value(), Parameter.value(bias), sum);
    }

    /** Returns dIn; {@code in} is what {@link #forward} was given. */
    INDArray backward(INDArray dOut, INDArray in, Arena arena) {
        INDArray dIn = arena.take(in.shape());
        kernels.linearBackward(
                dOut, in, weight.value(), dIn, Parameter.gradient(weight), Parameter.gradient(bias), arena);
        return dIn;
    }
}
