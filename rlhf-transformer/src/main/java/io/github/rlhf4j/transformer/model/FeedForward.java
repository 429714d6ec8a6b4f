package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.Kernels.Gate;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.TransformerConfig.Activation;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The feed-forward layer of a block: widen to W, non-linearity, narrow from F to C; GPT-2's names. W is F, or 2F where a gate
 * and what it multiplies stand side by side.
 */
record FeedForward(Linear widen, Linear narrow, Activation activation, Kernels kernels) {

    static FeedForward of(
            ParameterStore store, String name, TransformerConfig config, LoraAdapters adapters, Kernels kernels) {
        return new FeedForward(
                Linear.of(store, name + ".c_fc", adapters, kernels),
                Linear.of(store, name + ".c_proj", adapters, kernels),
                config.activation(),
                kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, TransformerConfig config) {
        boolean bias = config.biases() == Biases.ALL;
        Linear.declare(builder, name + ".c_fc", config.width(), config.widenedWidth(), bias);
        Linear.declare(builder, name + ".c_proj", config.feedForwardWidth(), config.width(), bias);
    }

    /** {@code [N, F]} of {@code wide [N, W]}. */
    INDArray activate(INDArray wide, Arena arena) {
        INDArray active = arena.take(wide.size(0), narrow.inputs());
        switch (activation) {
            case GELU_TANH -> kernels.gelu(wide, active, arena);
            case SWIGLU -> kernels.gated(Gate.SILU, wide, active, arena);
            case GEGLU -> kernels.gated(Gate.GELU, wide, active, arena);
        }
        return active;
    }

    /**
     * Mirrors widening and {@link #activate}; the activations are computed again, which costs less than to keep them.
     *
     * @param in what was widened
     * @param wide what it became, {@code [N, W]}
     */
    INDArray backward(
            INDArray dOut, INDArray in, INDArray wide, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        INDArray active = activate(wide, arena);
        INDArray dActive = narrow.backward(dOut, active, packed, dropout, arena);
        INDArray dWide = activation.gated() ? arena.take(wide.shape()) : active; // whose memory serves again
        switch (activation) {
            case GELU_TANH -> kernels.geluBackward(dActive, wide, dWide, arena);
            case SWIGLU -> kernels.gatedBackward(Gate.SILU, dActive, wide, dWide, arena);
            case GEGLU -> kernels.gatedBackward(Gate.GELU, dActive, wide, dWide, arena);
        }
        return widen.backward(dWide, in, packed, dropout, arena);
    }
}
