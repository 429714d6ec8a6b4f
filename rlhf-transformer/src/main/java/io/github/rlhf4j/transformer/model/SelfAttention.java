package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Causal multi-head self-attention with its projections (Vaswani et al. 2017 §3.2), GPT-2's names. */
record SelfAttention(Linear project, Linear output, int heads, Kernels kernels) {

    /** What the backward pass needs beside the input: {@code qkv [N, 3C]}; of rows that attend, {@code mixed [M, C]}. */
    record Cache(INDArray qkv, INDArray mixed) {}

    static SelfAttention of(ParameterStore store, String name, int heads, Kernels kernels) {
        return new SelfAttention(
                Linear.of(store, name + ".c_attn", kernels),
                Linear.of(store, name + ".c_proj", kernels),
                heads,
                kernels);
    }

    static void declare(ParameterStore.Builder builder, String name, long width) {
        Linear.declare(builder, name + ".c_attn", width, 3 * width);
        Linear.declare(builder, name + ".c_proj", width, width);
    }

    /** Room for what a pass keeps in which these rows attend. */
    Cache takeCache(PackedTokens packed, Arena arena) {
        return new Cache(
                arena.take(packed.whole().rows(), project.outputs()), arena.take(packed.rows(), output.inputs()));
    }

    /** All but the output projection, which {@link ResidualBranch} adds to the stream; fills the cache. */
    void forward(INDArray in, PackedTokens packed, Cache cache, Arena arena) {
        project.forward(in, cache.qkv());
        kernels.attention(packed, heads, cache.qkv(), cache.mixed(), arena);
    }

    /** Mirrors {@link #forward}, from {@code dOut [M, C]} to the gradient of {@code in [N, C]}, which that was given. */
    INDArray backward(INDArray dOut, INDArray in, PackedTokens packed, Cache cache, Arena arena) {
        INDArray dMixed = output.backward(dOut, cache.mixed(), arena);
        INDArray dQkv = arena.take(cache.qkv().shape());
        kernels.attentionBackward(packed, heads, dMixed, cache.qkv(), dQkv, arena);
        return project.backward(dQkv, in, arena);
    }
}
