package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Grouped key-value heads for {@link Nd4jAttention}, which wants keys and values of its own for each query head. */
final class Nd4jGroupedHeads {

    private Nd4jGroupedHeads() {}

    /** Rows {@code [N, (H + 2K)·D]} as {@code [N, 3·H·D]}, each key-value head once for each query head of its group. */
    static INDArray spread(AttentionShape shape, INDArray qkv, Arena arena) {
        if (shape.group() == 1) {
            return qkv;
        }
        INDArray spread = arena.take(qkv.size(0), 3L * shape.queryWidth());
        Nd4jKernels.columns(spread, 0, shape.queryWidth()).assign(Nd4jKernels.columns(qkv, 0, shape.queryWidth()));
        for (int part = 0; part < 2; part++) {
            for (int head = 0; head < shape.heads(); head++) {
                spreadHead(shape, spread, part, head).assign(head(shape, qkv, part, head));
            }
        }
        return spread;
    }

    /** Mirrors {@link #spread}: gradients of a group's copies are added up. */
    static void addUp(AttentionShape shape, INDArray dSpread, INDArray dQkv) {
        Nd4jKernels.columns(dQkv, 0, shape.queryWidth()).assign(Nd4jKernels.columns(dSpread, 0, shape.queryWidth()));
        for (int part = 0; part < 2; part++) {
            for (int head = 0; head < shape.heads(); head++) {
                INDArray sum = head(shape, dQkv, part, head);
                INDArray addend = spreadHead(shape, dSpread, part, head);
                if (head % shape.group() == 0) {
                    sum.assign(addend);
                } else {
                    sum.addi(addend);
                }
            }
        }
    }

    /** The keys (0) or values (1) that a query head reads, {@code [N, D]}. */
    private static INDArray head(AttentionShape shape, INDArray qkv, int part, int head) {
        int from = part == 0 ? shape.keysFrom() : shape.valuesFrom();
        return Nd4jKernels.columns(qkv, from + (long) head / shape.group() * shape.headSize(), shape.headSize());
    }

    private static INDArray spreadHead(AttentionShape shape, INDArray spread, int part, int head) {
        long from = (part + 1L) * shape.queryWidth() + (long) head * shape.headSize();
        return Nd4jKernels.columns(spread, from, shape.headSize());
    }
}
