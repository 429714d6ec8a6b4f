package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal attention on the CPU, straight on the packed rows: each head of each sequence is computed alone, a block of queries
 * at a time, by whichever thread is free. Nothing is padded, keys that no query of a block sees are not touched, and a
 * sequence's result has the same bits whatever else is in the batch and however many threads there are.
 *
 * <p>Implementation note. Products are strided BLAS calls of one thread ({@link StridedMatrix}); between them the softmax
 * passes over rows of scores as {@link VectorLoops}. The backward pass computes a block's weights again, so that memory
 * grows with T and not with T².
 */
final class FusedAttention {

    /** How a loop over heads is split over threads. */
    @FunctionalInterface
    interface Loop {

        /** As {@link Parallel#each}. */
        void each(int count, ThreadCrew.Task task);
    }

    private final AttentionScratch.Pool pool = new AttentionScratch.Pool();
    private final Loop loop;

    FusedAttention() {
        this(Parallel::each);
    }

    FusedAttention(Loop loop) {
        this.loop = loop;
    }

    /**
     * One head of one sequence: rows {@code [start, start + length)}, columns {@code [column, column + size)}.
     *
     * @param attending row of query 0 among those that attend, were it one of them
     * @param first the first query that attends
     */
    private record Head(int start, int length, int attending, int first, int column, int size, int channels) {

        static Head of(PackedTokens packed, int heads, int channels, int task) {
            int sequence = task / heads;
            int size = channels / heads;
            int length = packed.whole().length(sequence);
            int first = length - packed.length(sequence);
            return new Head(
                    packed.whole().start(sequence),
                    length,
                    packed.start(sequence) - first,
                    first,
                    task % heads * size,
                    size,
                    channels);
        }

        float scale() {
            return (float) (1 / Math.sqrt(size));
        }

        /** This head's rows of {@code matrix [M, C]}, from query {@code first} on. */
        StridedMatrix in(StridedMatrix matrix, int first) {
            return matrix.from(attending + first, column);
        }

        StridedMatrix queries(StridedMatrix qkv, int first) {
            return qkv.from(start + first, column);
        }

        StridedMatrix keys(StridedMatrix qkv) {
            return qkv.from(start, channels + column);
        }

        StridedMatrix values(StridedMatrix qkv) {
            return qkv.from(start, 2 * channels + column);
        }
    }

    /** Queries {@code [first, first + count)} of a head, which see the keys {@code [0, first + count)}. */
    private record Block(int first, int count) {

        int keys() {
            return first + count;
        }

        /** Keys that the block's query number t sees. */
        int visible(int t) {
            return first + t + 1;
        }
    }

    /** Work on one block of a head. */
    @FunctionalInterface
    private interface BlockTask {
        void run(Block block);
    }

    void forward(PackedTokens packed, int heads, INDArray qkv, INDArray out) {
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix into = StridedMatrix.of(out);
        int channels = (int) out.size(1);
        loop.each(packed.sequenceCount() * heads, task -> {
            Head head = Head.of(packed, heads, channels, task);
            AttentionScratch scratch = pool.take(Math.max(head.length(), head.size()));
            blocks(head, block -> forward(head, block, from, into, scratch));
            pool.giveBack(scratch);
        });
    }

    void backward(PackedTokens packed, int heads, INDArray dOut, INDArray qkv, INDArray dQkv) {
        StridedMatrix from = StridedMatrix.of(qkv);
        StridedMatrix upstream = StridedMatrix.of(dOut);
        StridedMatrix into = StridedMatrix.of(dQkv);
        int channels = (int) dOut.size(1);
        loop.each(packed.sequenceCount() * heads, task -> {
            Head head = Head.of(packed, heads, channels, task);
            AttentionScratch scratch = pool.take(Math.max(head.length(), head.size()));
            clear(head, head.keys(into), head.length(), scratch);
            clear(head, head.values(into), head.length(), scratch);
            clear(head, head.queries(into, 0), head.first(), scratch);
            blocks(head, block -> backward(head, block, from, upstream, into, scratch));
            pool.giveBack(scratch);
        });
    }

    private static void blocks(Head head, BlockTask task) {
        for (int first = head.first(); first < head.length(); first += AttentionScratch.BLOCK) {
            task.run(new Block(first, Math.min(AttentionScratch.BLOCK, head.length() - first)));
        }
    }

    private static void forward(Head head, Block block, StridedMatrix qkv, StridedMatrix out, AttentionScratch s) {
        attend(head, block, qkv, s);
        head.in(out, block.first()) // out = weights·v
                .product(block.count(), head.size(), block.keys(), 1, s.weights(), head.values(qkv), 0);
    }

    /** Leaves {@code softmax(q·kᵀ/√D)} of the block's queries in {@code weights}. */
    private static void attend(Head head, Block block, StridedMatrix qkv, AttentionScratch s) {
        StridedMatrix weights = s.weights();
        weights.productWithTransposed(
                block.count(),
                block.keys(),
                head.size(),
                head.scale(),
                head.queries(qkv, block.first()),
                head.keys(qkv),
                0);
        float[] row = s.row();
        for (int t = 0; t < block.count(); t++) {
            weights.read(t, block.visible(t), row);
            softmax(row, block.visible(t));
            Arrays.fill(row, block.visible(t), block.keys(), 0);
            weights.write(t, block.keys(), row);
        }
    }

    private static void softmax(float[] row, int length) {
        VectorLoops loops = VectorLoops.ACTIVE;
        double sum = loops.expOfDifference(row, loops.max(row, 0, length), 0, length);
        loops.scale(row, (float) (1 / sum), 0, length);
    }

    /** Mirrors {@link #forward} and {@link #attend}. */
    private static void backward(
            Head head, Block block, StridedMatrix qkv, StridedMatrix dOut, StridedMatrix dQkv, AttentionScratch s) {
        attend(head, block, qkv, s);
        StridedMatrix d = head.in(dOut, block.first());
        head.values(dQkv) // out = weights·v
                .productOfTransposed(block.keys(), head.size(), block.count(), 1, s.weights(), d, 1);
        s.dScores().productWithTransposed(block.count(), block.keys(), head.size(), 1, d, head.values(qkv), 0);

        softmaxBackward(block, s); // weights = softmax(scores)

        head.queries(dQkv, block.first()) // scores = q·kᵀ/√D
                .product(block.count(), head.size(), block.keys(), head.scale(), s.dScores(), head.keys(qkv), 0);
        StridedMatrix queries = head.queries(qkv, block.first());
        head.keys(dQkv)
                .productOfTransposed(block.keys(), head.size(), block.count(), head.scale(), s.dScores(), queries, 1);
    }

    private static void softmaxBackward(Block block, AttentionScratch s) {
        VectorLoops loops = VectorLoops.ACTIVE;
        float[] weights = s.row();
        float[] gradient = s.otherRow();
        for (int t = 0; t < block.count(); t++) {
            int visible = block.visible(t);
            s.weights().read(t, visible, weights);
            s.dScores().read(t, visible, gradient);
            float mean = (float) loops.dot(gradient, 0, visible, weights, 0);
            loops.softmaxGradient(gradient, weights, mean, 0, visible);
            Arrays.fill(gradient, visible, block.keys(), 0);
            s.dScores().write(t, block.keys(), gradient);
        }
    }

    private static void clear(Head head, StridedMatrix rows, int count, AttentionScratch s) {
        float[] zeros = s.row();
        Arrays.fill(zeros, 0, head.size(), 0);
        for (int u = 0; u < count; u++) {
            rows.write(u, head.size(), zeros);
        }
    }
}
