package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.kernels.RotaryAngles;
import io.github.rlhf4j.transformer.model.TransformerConfig.BlockForm;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A pre-norm transformer block: what it adds to the residual stream.
 *
 * <p>Keys and values come from all N rows of the stream {@code x}; all else is computed for the M rows that attend, {@code
 * y}. They are the same rows, and the same array, but where the tokens are {@link PackedTokens#tails}.
 */
abstract sealed class Block permits SequentialBlock, ParallelBlock {

    /** What a forward pass leaves for the backward pass. */
    sealed interface Kept permits Cache, Input {}

    /**
     * What the backward pass needs, for each of N rows: the normalised row C, queries, keys and values, a deviation; for each of M
     * rows: what attention mixed, the widened row, and of a second norm the normalised row C and a deviation. What norms,
     * non-linearity and dropout made of them is computed again.
     *
     * @param norm2 null in a block that has one norm
     */
    record Cache(
            Normalization.Cache norm1,
            SelfAttention.Cache attention,
            Normalization.@Nullable Cache norm2,
            INDArray wide)
            implements Kept {}

    /** The block's input {@code [N, C]}, of which the backward pass computes the cache. */
    record Input(INDArray x) implements Kept {}

    private final int index;
    final Normalization norm1;
    final SelfAttention attention;
    final FeedForward feedForward;
    final ResidualBranch attentionBranch;
    final ResidualBranch feedForwardBranch;

    Block(int index, Normalization norm1, SelfAttention attention, FeedForward feedForward) {
        this.index = index;
        this.norm1 = norm1;
        this.attention = attention;
        this.feedForward = feedForward;
        this.attentionBranch = new ResidualBranch(attention.output(), 2 * index + 1);
        this.feedForwardBranch = new ResidualBranch(feedForward.narrow(), 2 * index + 2);
    }

    static Block of(
            ParameterStore store,
            TransformerConfig config,
            LoraAdapters adapters,
            int index,
            @Nullable RotaryAngles angles,
            Kernels kernels) {
        String name = name(index);
        Normalization norm1 = Normalization.of(store, name + ".ln_1", config, kernels);
        SelfAttention attention = SelfAttention.of(store, name + ".attn", config, adapters, angles, kernels);
        FeedForward feedForward = FeedForward.of(store, name + ".mlp", config, adapters, kernels);
        return switch (config.block()) {
            case SEQUENTIAL ->
                new SequentialBlock(
                        index, norm1, attention, Normalization.of(store, name + ".ln_2", config, kernels), feedForward);
            case PARALLEL -> new ParallelBlock(index, norm1, attention, feedForward);
        };
    }

    static void declare(ParameterStore.Builder builder, TransformerConfig config, int index) {
        String name = name(index);
        Normalization.declare(builder, name + ".ln_1", config);
        SelfAttention.declare(builder, name + ".attn", config);
        if (config.block() == BlockForm.SEQUENTIAL) {
            Normalization.declare(builder, name + ".ln_2", config);
        }
        FeedForward.declare(builder, name + ".mlp", config);
    }

    private static String name(int index) {
        return "transformer.h." + index;
    }

    int index() {
        return index;
    }

    List<Linear> linearLayers() {
        return List.of(attention.project(), attention.output(), feedForward.widen(), feedForward.narrow());
    }

    /** Of the stream {@code x [N, C]} the rows that attend, {@code y [M, C]}: {@code x} itself when these are all. */
    static INDArray attending(INDArray x, PackedTokens packed, Kernels kernels, Arena arena) {
        if (packed.whole() == packed) {
            return x;
        }
        INDArray y = arena.take(packed.rows(), x.size(1));
        kernels.gatherRows(x, packed.rowsOfWhole(), y);
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
        feedForwardBranch.forward(active, y, packed, dropout, arena);
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

    /** The forward pass as far as the backward pass needs it: {@code y} becomes the stream with attention's branch added. */
    abstract Cache fillCache(INDArray x, INDArray y, PackedTokens packed, @Nullable Dropout dropout, Arena arena);

    /**
     * The gradient of the block's input from that of its output; mirrors {@link #forward}.
     *
     * @param dY {@code [M, C]}; overwritten
     * @param dX {@code [N, C]}; {@code dY} itself when all rows attend, otherwise zeros, added to
     */
    final void backward(
            INDArray dY, INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Kept kept, Arena arena) {
        Arena.Mark start = arena.mark();
        Cache cache = kept instanceof Input input ? fillCache(input, packed, dropout, arena) : (Cache) kept;
        backward(dY, dX, packed, dropout, cache, arena);
        arena.release(start);
    }

    private Cache fillCache(Input input, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        return fillCache(input.x(), attending(input.x(), packed, attention.kernels(), arena), packed, dropout, arena);
    }

    /** As the other {@code backward}, from the cache. */
    abstract void backward(
            INDArray dY, INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Cache cache, Arena arena);

    /** Adds {@code dY}, the gradient of {@link #attending} rows, to that of all. */
    final void addAttending(INDArray dY, INDArray dX, PackedTokens packed, Arena arena) {
        if (dX != dY) {
            attention.kernels().scatterAddRows(dY, packed.rowsOfWhole(), dX, arena); // y = attending(x)
        }
    }

    /** What the feed-forward layer reads in decoding, after attention was added to {@code x [b, C]}. */
    abstract INDArray feedForwardInput(INDArray x, INDArray normalized, Arena arena);
}
