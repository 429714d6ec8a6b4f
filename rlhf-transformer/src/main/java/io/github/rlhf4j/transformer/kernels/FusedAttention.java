package io.github.rlhf4j.transformer.kernels;

import java.lang.ref.Reference;
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

    /** Work on one head. */
    @FunctionalInterface
    private interface HeadTask {
        void run(HeadAttention attention, AttentionHead head);
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

    void forward(PackedTokens packed, int heads, INDArray qkv, INDArray out) {
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix into = StridedMatrix.of(out);
        each(packed, heads, (int) out.size(1), (attention, head) -> attention.forward(head, from, into));
        Reference.reachabilityFence(from);
        Reference.reachabilityFence(into);
    }

    void backward(PackedTokens packed, int heads, INDArray dOut, INDArray qkv, INDArray dQkv) {
        StridedMatrix upstream = StridedMatrix.of(dOut);
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix into = StridedMatrix.of(dQkv);
        each(packed, heads, (int) dOut.size(1), (attention, head) -> attention.backward(head, upstream, from, into));
        Reference.reachabilityFence(upstream);
        Reference.reachabilityFence(from);
        Reference.reachabilityFence(into);
    }

    private void each(PackedTokens packed, int heads, int channels, HeadTask task) {
        loop.each(packed.sequenceCount() * heads, number -> {
            AttentionHead head = AttentionHead.of(packed, heads, channels, number);
            task.run(panels != null && PanelAttention.holds(head) ? panels : blas, head);
        });
    }
}
