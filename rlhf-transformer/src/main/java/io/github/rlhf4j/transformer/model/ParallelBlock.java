package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** {@code x + attention(norm(x)) + feedForward(norm(x))} (Chowdhery et al. 2022 §2, PaLM). */
final class ParallelBlock extends Block {

    ParallelBlock(int index, Normalization norm, SelfAttention attention, FeedForward feedForward) {
        super(index, norm, attention, feedForward);
    }

    @Override
    Cache fillCache(INDArray x, INDArray y, PackedTokens packed, @Nullable Dropout dropout, Arena arena) {
        Cache cache = new Cache(
                norm1.takeCache(x.size(0), arena),
                attention.takeCache(packed, arena),
                null,
                arena.take(y.size(0), feedForward.widen().outputs()));
        Arena.Mark mark = arena.mark();
        INDArray normalized = norm1.forward(x, cache.norm1(), arena);
        feedForward.widen().forward(attending(normalized, packed, arena), cache.wide(), packed, dropout, arena);
        attention.forward(normalized, packed, dropout, cache.attention(), arena);
        attentionBranch.forward(cache.attention().mixed(), y, packed, dropout, arena);
        arena.release(mark);
        return cache;
    }

    @Override
    void backward(INDArray dY, INDArray dX, PackedTokens packed, @Nullable Dropout dropout, Cache cache, Arena arena) {
        INDArray normalized = norm1.output(cache.norm1(), arena);
        INDArray dA = attentionBranch.backward(dY, packed, dropout, arena);
        INDArray dN = attention.backward(dA, normalized, packed, dropout, cache.attention(), arena);

        INDArray dF = feedForwardBranch.backward(dY, packed, dropout, arena);
        INDArray read = attending(normalized, packed, arena);
        INDArray dRead = feedForward.backward(dF, read, cache.wide(), packed, dropout, arena);
        if (read == normalized) {
            dN.addi(dRead);
        } else {
            addAttending(dRead, dN, packed, arena);
        }
        addAttending(dY, dX, packed, arena);
        norm1.backward(dN, cache.norm1(), dX, arena);
    }

    private INDArray attending(INDArray normalized, PackedTokens packed, Arena arena) {
        return attending(normalized, packed, attention.kernels(), arena);
    }

    @Override
    INDArray feedForwardInput(INDArray x, INDArray normalized, Arena arena) {
        return normalized;
    }
}
