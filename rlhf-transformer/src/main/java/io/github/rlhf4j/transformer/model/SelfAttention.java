package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.AttentionShape;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.RotaryAngles;
import io.github.rlhf4j.transformer.model.TransformerConfig.Biases;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal self-attention with its projections (Vaswani et al. 2017 §3.2), GPT-2's names.
 *
 * @param angles of rotary positions; null where positions are learned
 */
record SelfAttention(
        Linear project,
        Linear output,
        AttentionShape shape,
        @Nullable RotaryAngles angles,
        Kernels kernels) {

    /**
     * What the backward pass needs beside the input: {@code qkv [N, (H + 2K)·D]}, queries and keys as attention reads them; of
     * rows that attend, {@code mixed [M, H·D]}.
     */
    record Cache(INDArray qkv, INDArray mixed) {}

    static SelfAttention of(
            ParameterStore store,
            String name,
            TransformerConfig config,
            LoraAdapters adapters,
            @Nullable RotaryAngles angles,
            Kernels kernels) {
        return new SelfAttention(
                Linear.of(store, name + ".c_attn", adapters, kernels),
                Linear.of(store, name + ".c_proj", adapters, kernels),
                config.attention(),
                angles,
                kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, TransformerConfig config) {
        AttentionShape shape = config.attention();
        Linear.declare(builder, name + ".c_attn", config.width(), shape.rowWidth(), config.biases() != Biases.NONE);
        Linear.declare(builder, name + ".c_proj", shape.queryWidth(), config.width(), config.biases() == Biases.ALL);
    }

    /** Room for what a pass keeps in which these rows attend. */
    Cache takeCache(PackedTokens packed, Arena arena) {
        return new Cache(
                arena.take(packed.whole().rows(), project.outputs()), arena.take(packed.rows(), output.inputs()));
    }

    /** All but the output projection, which {@link ResidualBranch} adds to the stream; fills the cache. */
    void forward(INDArray in, PackedTokens packed, @Nullable Dropout dropout, Cache cache, Arena arena) {
        project.forward(in, cache.qkv(), packed.whole(), dropout, arena);
        rotate(cache.qkv(), packed.whole().positions(), arena);
        kernels.attention(packed, shape, cache.qkv(), cache.mixed(), arena);
    }

    /** Tells queries and keys their positions, where these are rotary. */
    void rotate(INDArray qkv, int[] positions, Arena arena) {
        if (angles != null) {
            kernels.rotate(shape, qkv, positions, angles, arena);
        }
    }

    /** Mirrors {@link #forward}, from {@code dOut [M, C]} to the gradient of {@code in [N, C]}, which that was given. */
    INDArray backward(
            INDArray dOut, INDArray in, PackedTokens packed, @Nullable Dropout dropout, Cache cache, Arena arena) {
        INDArray dMixed = output.backward(dOut, cache.mixed(), packed, dropout, arena);
        INDArray dQkv = arena.take(cache.qkv().shape());
        kernels.attentionBackward(packed, shape, dMixed, cache.qkv(), dQkv, arena);
        if (angles != null) {
            kernels.rotateBackward(shape, dQkv, packed.whole().positions(), angles, arena);
        }
        return project.backward(dQkv, in, packed.whole(), dropout, arena);
    }
}
