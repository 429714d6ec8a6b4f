package io.github.rlhf4j.transformer.kernels;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal attention on the CPU, straight on the packed rows: each head of each sequence is computed alone, a block of queries
 * at a time, by whichever thread is free. Nothing is padded, keys that no query of a block sees are not touched, and a
 * sequence's result has the same bits whatever else is in the batch and however many threads there are.
 *
 * <p>Implementation note. A head goes through {@link PanelAttention} where {@link PanelProduct} is in use, else through {@link
 * BlasAttention}. The backward pass computes a block's weights again, so that memory grows with T and not with T².
 */
final class FusedAttention {

    /** How a loop over heads is split over threads. */
    @FunctionalInterface
    interface Loop {

        /** As {@link Parallel#each}. */
        void each(int count, ThreadCrew.Task task);
    }

    private final Loop loop;
    private final @Nullable HeadAttention panels;
    private final HeadAttention blas = new BlasAttention();

    FusedAttention() {
        this(Parallel::each, PanelProduct.loops());
    }

    /** @param panels the loops to use, or null for BLAS */
    FusedAttention(Loop loop, @Nullable PanelLoops panels) {
        this.loop = loop;
        this.panels = panels == null ? null : new PanelAttention(panels);
    }

    void forward(PackedTokens packed, AttentionShape shape, INDArray qkv, INDArray out) {
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix into = StridedMatrix.of(out);
        int heads = shape.heads();
        loop.each(packed.sequenceCount() * heads, task -> {
            AttentionHead head = AttentionHead.of(packed, shape, task / heads, task % heads);
            attention(head, from).forward(head, from, into);
        });
        Reference.reachabilityFence(from);
        Reference.reachabilityFence(into);
    }

    void backward(PackedTokens packed, AttentionShape shape, INDArray dOut, INDArray qkv, INDArray dQkv) {
        StridedMatrix upstream = StridedMatrix.of(dOut);
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix into = StridedMatrix.of(dQkv);
        int groups = shape.keyValueHeads();
        loop.each(packed.sequenceCount() * groups, task -> {
            List<AttentionHead> group = group(packed, shape, task / groups, task % groups);
            attention(group.get(0), from).backward(group, upstream, from, into);
        });
        Reference.reachabilityFence(upstream);
        Reference.reachabilityFence(from);
        Reference.reachabilityFence(into);
    }

    /** The query heads of a sequence that read one key-value head. */
    private static List<AttentionHead> group(PackedTokens packed, AttentionShape shape, int sequence, int number) {
        int first = number * shape.group();
        List<AttentionHead> group = new ArrayList<>(shape.group());
        for (int head = first; head < first + shape.group(); head++) {
            group.add(AttentionHead.of(packed, shape, sequence, head));
        }
        return group;
    }

    private HeadAttention attention(AttentionHead head, StridedMatrix qkv) {
        return panels != null && PanelAttention.holds(head, qkv) ? panels : blas;
    }
}
