package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A pre-norm transformer block (GPT-2): {@code x + attention(norm(x))}, then {@code y + feedForward(norm(y))}. */
record Block(int index, LayerNorm norm1, SelfAttention attention, LayerNorm norm2, FeedForward feedForward) {

    /** What a forward pass leaves for the backward pass. */
    sealed interface Kept permits Cache, Input {}

    /**
     * What the backward pass needs, for each row: normalised rows C and C, queries, keys and values 3C, what attention mixed
     * C, the widened row F, and two deviations. What norms, GELU and dropout made of them is computed again.
     */
    record Cache(LayerNorm.Cache norm1, SelfAttention.Cache attention, LayerNorm.Cache norm2, INDArray wide)
            implements Kept {}

    /** The block's input {@code [N, C]}, of which the backward pass computes the cache. */
    record Input(INDArray x) implements Kept {}

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

    private ResidualBranch attentionBranch() {
        return new ResidualBranch(attention.output(), 2 * index + 1);
    }

    private ResidualBranch feedForwardBranch() {
        return new ResidualBranch(feedForward.narrow(), 2 * index + 2);
    }

    /** Adds this block's contribution to the residual stream {@code x [N, C]} in place. */
    Cache forward(INDArray x, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Cache cache = fillCache(x, packed, dropout, arena);
        Arena.Mark mark = arena.mark();
        INDArray active = feedForward.activate(cache.wide(), arena);
        feedForwardBranch().forward(active, x, packed, dropout, arena);
        arena.release(mark);
        return cache;
    }

    /** As {@link #forward}, keeping only what {@code recomputation} does not compute again. */
    Kept forward(INDArray x, PackedTokens packed, @Nullable Dropout dropout, Recomputation recomputation, Arena arena) {
        if (recomputation == Recomputation.NONE) {
            return forward(x, packed, dropout, arena);
        }
        INDArray input = arena.take(x.shape());
        input.assign(x);
        Arena.Mark mark = arena.mark();
        forward(x, packed, dropout, arena);
        arena.release(mark);
        return new Input(input);
    }

    /** The forward pass as far as the backward pass needs it: {@code x} becomes the stream between the two branches. */
    private Cache fillCache(INDArray x, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        long rows = x.size(0);
        Cache cache = new Cache(
                norm1.takeCache(rows, arena),
                attention.takeCache(rows, arena),
                norm2.takeCache(rows, arena),
                arena.take(rows, feedForward.widen().outputs()));
        Arena.Mark mark = arena.mark();
        attention.forward(norm1.forward(x, cache.norm1(), arena), packed, cache.attention(), arena);
        attentionBranch().forward(cache.attention().mixed(), x, packed, dropout, arena);
        arena.release(mark);

        feedForward.widen().forward(norm2.forward(x, cache.norm2(), arena), cache.wide());
        arena.release(mark);
        return cache;
    }

    /** Turns the gradient of the block's output into that of its input, in place; mirrors {@link #forward}. */
    void backward(INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Kept kept, Arena arena) {
        Arena.Mark start = arena.mark();
        Cache cache = kept instanceof Input input ? fillCache(input.x(), packed, dropout, arena) : (Cache) kept;
        Arena.Mark mark = arena.mark();
        INDArray dF = feedForwardBranch().backward(dX, packed, dropout, arena);
        INDArray dN2 = feedForward.backward(dF, norm2.output(cache.norm2(), arena), cache.wide(), arena);
        norm2.backward(dN2, cache.norm2(), dX, arena);
        arena.release(mark);

        INDArray dA = attentionBranch().backward(dX, packed, dropout, arena);
        INDArray dN1 = attention.backward(dA, norm1.output(cache.norm1(), arena), packed, cache.attention(), arena);
        norm1.backward(dN1, cache.norm1(), dX, arena);
        arena.release(start);
    }
}
