package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code y = x + attention(norm1(x))}, then {@code y + feedForward(norm2(y))} (GPT-2, LLaMA). */
final class SequentialBlock extends Block {

    private final Normalization norm2;

    SequentialBlock(
            int index, Normalization norm1, SelfAttention attention, Normalization norm2, FeedForward feedForward) {
        super(index, norm1, attention, feedForward);
        this.norm2 = norm2;
    }

    @Override
    Cache fillCache(INDArray x, INDArray y, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Normalization.Cache cache2 = norm2.takeCache(y.size(0), arena);
        Cache cache = new Cache(
                norm1.takeCache(x.size(0), arena),
                attention.takeCache(packed, arena),
                cache2,
                arena.take(y.size(0), feedForward.widen().outputs()));
        Arena.Mark mark = arena.mark();
        attention.forward(norm1.forward(x, cache.norm1(), arena), packed, dropout, cache.attention(), arena);
        attentionBranch.forward(cache.attention().mixed(), y, packed, dropout, arena);
        arena.release(mark);

        feedForward.widen().forward(norm2.forward(y, cache2, arena), cache.wide(), packed, dropout, arena);
        arena.release(mark);
        return cache;
    }

    @Override
    void backward(INDArray dY, INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Cache cache, Arena arena) {
        Arena.Mark mark = arena.mark();
        Normalization.Cache cache2 = Objects.requireNonNull(cache.norm2());
        INDArray dF = feedForwardBranch.backward(dY, packed, dropout, arena);
        INDArray dN2 = feedForward.backward(dF, norm2.output(cache2, arena), cache.wide(), packed, dropout, arena);
        norm2.backward(dN2, cache2, dY, arena);
        arena.release(mark);

        INDArray dA = attentionBranch.backward(dY, packed, dropout, arena);
        INDArray dN1 =
                attention.backward(dA, norm1.output(cache.norm1(), arena), packed, dropout, cache.attention(), arena);
        addAttending(dY, dX, packed, arena);
        norm1.backward(dN1, cache.norm1(), dX, arena);
    }

    @Override
    INDArray feedForwardInput(INDArray x, INDArray normalized, Arena arena) {
        return norm2.forward(x, arena).out();
    }
}
