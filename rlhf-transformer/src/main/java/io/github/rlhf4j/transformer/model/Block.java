package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A pre-norm transformer block (GPT-2): {@code x + attention(norm(x))}, then {@code y + feedForward(norm(y))}. */
record Block(int index, LayerNorm norm1, SelfAttention attention, LayerNorm norm2, FeedForward feedForward) {

    /** What the backward pass needs. The masks are null without dropout. */
    record Cache(
            LayerNorm.Cache norm1,
            SelfAttention.Cache attention,
            @Nullable INDArray attentionMask,
            LayerNorm.Cache norm2,
            FeedForward.Cache feedForward,
            @Nullable INDArray feedForwardMask) {}

    static Block of(ParameterStore store, TransformerConfig config, int index, Kernels kernels) {
        String name = name(index);
        return new Block(
                index,
                LayerNorm.of(store, name + ".ln_1", config.normEpsilon(), kernels),
                SelfAttention.of(store, name + ".attn", config.heads(), kernels),
                LayerNorm.of(store, name + ".ln_2", config.normEpsilon(), kernels),
                FeedForward.of(store, name + ".mlp", kernels));
    }

    static void declare(ParameterStore.Builder builder, TransformerConfig config, int index) {
        String name = name(index);
        LayerNorm.declare(builder, name + ".ln_1", config.width());
        SelfAttention.declare(builder, name + ".attn", config.width());
        LayerNorm.declare(builder, name + ".ln_2", config.width());
        FeedForward.declare(builder, name + ".mlp", config.width(), config.feedForwardWidth());
    }

    private static String name(int index) {
        return "transformer.h." + index;
    }

    /** Adds this block's contribution to the residual stream {@code x [N, C]} in place. */
    Cache forward(INDArray x, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        LayerNorm.Cache n1 = norm1.forward(x, arena);
        SelfAttention.Cache a = attention.forward(n1.out(), packed, arena);
        INDArray attentionMask =
                ResidualBranch.add(attention.output(), a.mixed(), x, packed, dropout, 2 * index + 1, arena);

        LayerNorm.Cache n2 = norm2.forward(x, arena);
        FeedForward.Cache f = feedForward.forward(n2.out(), arena);
        INDArray feedForwardMask =
                ResidualBranch.add(feedForward.narrow(), f.active(), x, packed, dropout, 2 * index + 2, arena);
        return new Cache(n1, a, attentionMask, n2, f, feedForwardMask);
    }

    /** Turns the gradient of the block's output into that of its input, in place; mirrors {@link #forward}. */
    void backward(INDArray dX, PackedTokens packed, Cache cache, Arena arena) {
        Arena.Mark mark = arena.mark();
        INDArray dF = masked(dX, cache.feedForwardMask(), arena);
        INDArray dN2 = feedForward.backward(dF, cache.feedForward(), arena);
        norm2.backward(dN2, cache.norm2(), dX, arena);
        arena.release(mark);

        INDArray dA = masked(dX, cache.attentionMask(), arena);
        INDArray dN1 = attention.backward(dA, packed, cache.attention(), arena);
        norm1.backward(dN1, cache.norm1(), dX, arena);
        arena.release(mark);
    }

    private static INDArray masked(INDArray d, @Nullable INDArray mask, Arena arena) {
        return mask == null ? d : d.muli(mask, arena.take(d.shape()));
    }
}
