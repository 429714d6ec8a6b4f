package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Causal multi-head self-attention with its projections (Vaswani et al. 2017 §3.2), GPT-2's names. */
record SelfAttention(Linear project, Linear output, int heads, Kernels kernels) {

    /** {@code in [N, C]}, {@code qkv [N, 3C]}, {@code mixed [N, C]}. */
    record Cache(INDArray in, INDArray qkv, INDArray mixed) {}

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

    /** All but the output projection, which {@link ResidualBranch} adds to the stream. */
    Cache forward(INDArray in, PackedTokens packed, Arena arena) {
        INDArray qkv = project.forward(in, arena);
        INDArray mixed = arena.take(in.shape());
        kernels.attention(packed, heads, qkv, mixed, arena);
        return new Cache(in, qkv, mixed);
    }

    INDArray backward(INDArray dOut, PackedTokens packed, Cache cache, Arena arena) {
        INDArray dMixed = output.backward(dOut, cache.mixed(), arena);
        INDArray dQkv = arena.take(cache.qkv().shape());
        kernels.attentionBackward(packed, heads, dMixed, cache.qkv(), dQkv, arena);
        return project.backward(dQkv, cache.in(), arena);
    }
}
