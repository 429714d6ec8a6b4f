package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A pre-norm transformer block (GPT-2): {@code y = x + attention(norm(x))}, then {@code y + feedForward(norm(y))}.
 *
 * <p>Keys and values come from all N rows of the stream {@code x}; all else is computed for the M rows that attend, {@code
 * y}. They are the same rows, and the same array, but where the tokens are {@link PackedTokens#tails}.
 */
record Block(int index, LayerNorm norm1, SelfAttention attention, LayerNorm norm2, FeedForward feedForward) {

    /** What a forward pass leaves for the backward pass. */
    sealed interface Kept permits Cache, Input {}

    /**
     * What the backward pass needs, for each of N rows: the normalised row C, queries, keys and values 3C, a deviation; for each
     * of M rows: what attention mixed C, the normalised row C, the widened row F, a deviation. What norms, GELU and dropout
     * made of them is computed again.
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

    /** Of the stream {@code x [N, C]} the rows that attend, {@code y [M, C]}: {@code x} itself when these are all. */
    INDArray attending(INDArray x, PackedTokens packed, Arena arena) {
        if (packed.whole() == packed) {
            return x;
        }
        INDArray y = arena.take(packed.rows(), x.size(1));
        attention.kernels().gatherRows(x, packed.rowsOfWhole(), y);
        return y;
    }

    /**
     * Adds this block's contribution to the residual stream in place.
     *
     * @param x the stream {@code [N, C]}; not changed where it is not {@code y}
     * @param y {@link #attending} of it, {@code [M, C]}
     */
    Cache forward(INDArray x, INDArray y, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Cache cache = fillCache(x, y, packed, dropout, arena);
        Arena.Mark mark = arena.mark();
        INDArray active = feedForward.activate(cache.wide(), arena);
        feedForwardBranch().forward(active, y, packed, dropout, arena);
        arena.release(mark);
        return cache;
    }

    /** As {@link #forward}, keeping only what {@code recomputation} does not compute again. */
    Kept forward(
            INDArray x,
            INDArray y,
            PackedTokens packed,
            @Nullable Dropout dropout,
            Recomputation recomputation,
            Arena arena) {
        if (recomputation == Recomputation.NONE) {
            return forward(x, y, packed, dropout, arena);
        }
        Input input = new Input(x == y ? arena.take(x.shape()).assign(x) : x);
        Arena.Mark mark = arena.mark();
        forward(x, y, packed, dropout, arena);
        arena.release(mark);
        return input;
    }

    /** The forward pass as far as the backward pass needs it: {@code y} becomes the stream between the two branches. */
    private Cache fillCache(INDArray x, INDArray y, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Cache cache = new Cache(
                norm1.takeCache(x.size(0), arena),
                attention.takeCache(packed, arena),
                norm2.takeCache(y.size(0), arena),
                arena.take(y.size(0), feedForward.widen().outputs()));
        Arena.Mark mark = arena.mark();
        attention.forward(norm1.forward(x, cache.norm1(), arena), packed, cache.attention(), arena);
        attentionBranch().forward(cache.attention().mixed(), y, packed, dropout, arena);
        arena.release(mark);

        feedForward.widen().forward(norm2.forward(y, cache.norm2(), arena), cache.wide());
        arena.release(mark);
        return cache;
    }

    private Cache fillCache(Input input, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        return fillCache(input.x(), attending(input.x(), packed, arena), packed, dropout, arena);
    }

    /**
     * The gradient of the block's input from that of its output; mirrors {@link #forward}.
     *
     * @param dY {@code [M, C]}; overwritten
     * @param dX {@code [N, C]}; {@code dY} itself when all rows attend, otherwise zeros, added to
     */
    void backward(INDArray dY, INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Kept kept, Arena arena) {
        Arena.Mark start = arena.mark();
        Cache cache = kept instanceof Input input ? fillCache(input, packed, dropout, arena) : (Cache) kept;
        Arena.Mark mark = arena.mark();
        INDArray dF = feedForwardBranch().backward(dY, packed, dropout, arena);
        INDArray dN2 = feedForward.backward(dF, norm2.output(cache.norm2(), arena), cache.wide(), arena);
        norm2.backward(dN2, cache.norm2(), dY, arena);
        arena.release(mark);

        INDArray dA = attentionBranch().backward(dY, packed, dropout, arena);
        INDArray dN1 = attention.backward(dA, norm1.output(cache.norm1(), arena), packed, cache.attention(), arena);
        if (dX != dY) {
            attention.kernels().scatterAddRows(dY, packed.rowsOfWhole(), dX, arena); // y = attending(x)
        }
        norm1.backward(dN1, cache.norm1(), dX, arena);
        arena.release(start);
    }
}
