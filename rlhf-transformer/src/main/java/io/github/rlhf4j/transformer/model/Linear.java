package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedLinear;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer: {@code out [N, M] = in [N, K] · weight [K, M] + bias [M]}, and what its adapters add.
 *
 * @param weight with the bias, if there is one
 * @param adapters none where the weight itself is trained
 */
record Linear(LinearWeight weight, List<Adapter> adapters, Kernels kernels) {

    static Linear of(ParameterStore store, String name, LoraAdapters adapters, Kernels kernels) {
        return new Linear(LinearWeight.of(store, name, kernels), adapters.of(name, kernels), kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long in, long out, boolean bias) {
        builder.linear(name + ".weight", in, out);
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

    INDArray forward(INDArray in, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        INDArray out = arena.take(in.size(0), outputs());
        forward(in, out, packed, dropout, arena);
        return out;
    }

    /**
     * Overwrites {@code out [N, M]}.
     *
     * @param packed what the N rows are
     * @param dropout of which adapters take theirs
     */
    void forward(INDArray in, INDArray out, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        weight.forward(in, out, arena);
        for (Adapter adapter : adapters) {
            adapter.forward(in, out, packed, dropout, arena);
        }
    }

    /** Adds the output to {@code sum [N, M]}: a branch of a residual stream. */
    void addTo(INDArray sum, INDArray in, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        weight.addTo(sum, in, arena);
        for (Adapter adapter : adapters) {
            adapter.forward(in, sum, packed, dropout, arena);
        }
    }

    /** Adds to {@code out [N, M]} what the adapters make of {@code in}, without dropout. */
    void addAdapters(INDArray in, INDArray out, Arena arena) {
        for (Adapter adapter : adapters) {
            adapter.forward(in, out, arena);
        }
    }

    /** Returns dIn; {@code in} is what {@link #forward} was given. */
    INDArray backward(INDArray dOut, INDArray in, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        INDArray dIn = arena.take(in.shape());
        weight.backward(dOut, in, dIn, arena);
        for (Adapter adapter : adapters) {
            adapter.backward(dOut, in, dIn, packed, dropout, arena);
        }
        return dIn;
    }

    /** Adds what the adapters come to, {@code Σ scale·A·B}, to a copy {@code [K, M]} of the weight. */
    void mergeInto(INDArray copy) {
        try (Arena arena = new Arena(copy.dataType())) {
            adapters.forEach(adapter -> adapter.addTo(copy, arena));
        }
    }

    /** For decoding. */
    PackedLinear pack(WeightFormat format) {
        return weight.pack(this, format);
    }
}
