package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.List;

/**
 * A head's attention by strided BLAS calls of one thread ({@link StridedMatrix}), a block of queries at a time; between them
 * the softmax passes over rows of scores as {@link VectorLoops}.
 */
final class BlasAttention implements HeadAttention {

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

    private final AttentionScratch.Pool pool = new AttentionScratch.Pool();

    @Override
    public void forward(AttentionHead head, StridedMatrix qkv, StridedMatrix out) {
        AttentionScratch scratch = pool.take(head.length());
        blocks(head, block -> forward(head, block, qkv, out, scratch));
        pool.giveBack(scratch);
    }

    @Override
    public void backward(List<AttentionHead> group, StridedMatrix dOut, StridedMatrix qkv, StridedMatrix dQkv) {
        AttentionScratch scratch = pool.take(group.get(0).length());
        for (AttentionHead head : group) {
            clearQueries(head, head.queries(dQkv, 0), scratch);
            blocks(head, block -> {
                boolean overwrites = head == group.get(0) && block.keys() == head.length();
                backward(head, block, overwrites ? 0 : 1, qkv, dOut, dQkv, scratch);
            });
        }
        pool.giveBack(scratch);
    }

    /** From the last block, which sees all keys, to the first. */
    private static void blocks(AttentionHead head, BlockTask task) {
        int last = (head.length() - 1 - head.first()) / AttentionScratch.BLOCK * AttentionScratch.BLOCK;
        for (int first = head.first() + last; first >= head.first(); first -= AttentionScratch.BLOCK) {
            task.run(new Block(first, Math.min(AttentionScratch.BLOCK, head.length() - first)));
        }
    }

    private static void forward(
            AttentionHead head, Block block, StridedMatrix qkv, StridedMatrix out, AttentionScratch s) {
        StridedMatrix weights = attend(head, block, qkv, s);
        head.in(out, block.first()) // out = weights·v
                .product(block.count(), head.size(), block.keys(), 1, weights, head.values(qkv), 0);
    }

    /** {@code softmax(q·kᵀ/√D)} of the block's queries. */
    private static StridedMatrix attend(AttentionHead head, Block block, StridedMatrix qkv, AttentionScratch s) {
        StridedMatrix weights = s.weights(block.keys());
        weights.productWithTransposed(
                block.count(),
                block.keys(),
                head.size(),
                head.scale(),
                head.queries(qkv, block.first()),
                head.keys(qkv),
                0);
        Blocks.walk(0, block.count(), AttentionScratch.rowsAtOnce(block.keys()), (from, to) -> {
            float[] rows = s.rows();
            int length = (to - from) * block.keys();
            weights.read(from, length, rows);
            for (int t = from; t < to; t++) {
                int row = (t - from) * block.keys();
                softmax(rows, row, row + block.visible(t));
                Arrays.fill(rows, row + block.visible(t), row + block.keys(), 0);
            }
            weights.write(from, length, rows);
        });
        return weights;
    }

    private static void softmax(float[] x, int from, int to) {
        VectorLoops loops = VectorLoops.ACTIVE;
        double sum = loops.expOfDifference(x, loops.max(x, from, to), from, to);
        loops.scale(x, (float) (1 / sum), from, to);
    }

    /**
     * Mirrors {@link #forward} and {@link #attend}.
     *
     * @param before what the gradients of keys and values so far are multiplied by: 0 for the first block, which overwrites
     */
    private static void backward(
            AttentionHead head,
            Block block,
            float before,
            StridedMatrix qkv,
            StridedMatrix dOut,
            StridedMatrix dQkv,
            AttentionScratch s) {
        StridedMatrix weights = attend(head, block, qkv, s);
        StridedMatrix dScores = s.dScores(block.keys());
        StridedMatrix d = head.in(dOut, block.first());
        head.values(dQkv) // out = weights·v
                .productOfTransposed(block.keys(), head.size(), block.count(), 1, weights, d, before);
        dScores.productWithTransposed(block.count(), block.keys(), head.size(), 1, d, head.values(qkv), 0);

        softmaxBackward(block, weights, dScores, s); // weights = softmax(scores)

        head.queries(dQkv, block.first()) // scores = q·kᵀ/√D
                .product(block.count(), head.size(), block.keys(), head.scale(), dScores, head.keys(qkv), 0);
        StridedMatrix queries = head.queries(qkv, block.first());
        head.keys(dQkv)
                .productOfTransposed(block.keys(), head.size(), block.count(), head.scale(), dScores, queries, before);
    }

    private static void softmaxBackward(Block block, StridedMatrix weights, StridedMatrix dScores, AttentionScratch s) {
        VectorLoops loops = VectorLoops.ACTIVE;
        Blocks.walk(0, block.count(), AttentionScratch.rowsAtOnce(block.keys()), (from, to) -> {
            float[] w = s.rows();
            float[] d = s.otherRows();
            int length = (to - from) * block.keys();
            weights.read(from, length, w);
            dScores.read(from, length, d);
            for (int t = from; t < to; t++) {
                int row = (t - from) * block.keys();
                int end = row + block.visible(t);
                float mean = (float) loops.dot(d, row, end, w, row);
                loops.softmaxGradient(d, w, mean, row, end);
                Arrays.fill(d, end, row + block.keys(), 0);
            }
            dScores.write(from, length, d);
        });
    }

    /** Rows that do not attend have no gradient for their queries. */
    private static void clearQueries(AttentionHead head, StridedMatrix queries, AttentionScratch s) {
        if (head.first() > 0) {
            float[] zeros = s.rows();
            Arrays.fill(zeros, 0, head.size(), 0);
            for (int u = 0; u < head.first(); u++) {
                queries.write(u, head.size(), zeros);
            }
        }
    }
}
