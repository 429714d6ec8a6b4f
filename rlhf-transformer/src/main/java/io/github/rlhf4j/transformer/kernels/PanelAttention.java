package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.List;

/**
 * A head's attention on the Java heap by the loops of {@link PanelLoops}. A block is as many queries as a panel has columns:
 * its scores, transposed, are a panel {@code [T, width]}, which the product of the keys with the queries' panel writes and
 * the product with the values reads as it lies; in between, the softmax of each column.
 *
 * <p>Where a last block is not full, its panel ends in columns of zero queries, which change nothing and are not stored.
 */
final class PanelAttention implements HeadAttention {

    private final PanelLoops loops;

    PanelAttention(PanelLoops loops) {
        this.loops = loops;
    }

    /** Whether a buffer can hold the rows of the head's sequence. */
    static boolean holds(AttentionHead head, StridedMatrix qkv) {
        return qkv.inReach(head.length());
    }

    @Override
    public void forward(AttentionHead head, StridedMatrix qkv, StridedMatrix out) {
        PanelHead work = new PanelHead(loops, head, qkv);
        HeadRows into = work.in(out);
        for (int end = head.length(); end > head.first(); end -= work.width) {
            work.moveTo(end);
            work.forward(into);
        }
    }

    @Override
    public void backward(List<AttentionHead> group, StridedMatrix dOut, StridedMatrix qkv, StridedMatrix dQkv) {
        PanelHead work = new PanelHead(loops, group.get(0), qkv);
        Gradient gradient = new Gradient(work);
        HeadRows gradients = work.rowsOf(dQkv);
        for (AttentionHead head : group) {
            work.turnTo(head);
            HeadRows upstream = work.in(dOut);
            HeadRows dQueries = gradients.at(head.column());
            dQueries.clear(head.first(), work.rows);
            for (int end = head.length(); end > head.first(); end -= work.width) {
                work.moveTo(end);
                gradient.add(upstream, dQueries);
            }
        }
        gradient.store(gradient.dKeys, work.head.scale(), gradients.at(work.head.keys()));
        gradient.store(gradient.dValues, 1, gradients.at(work.head.values()));
    }

    /** Mirrors {@link PanelHead}: a block adds to the gradients of the keys and values that it sees. */
    private static final class Gradient {

        private final PanelHead work;
        private final PanelLoops loops;
        private final int width;
        private final int panels;
        private final float[] upstream;
        private final float[] dScores;
        private final float[] columns;
        private final float[] dKeys;
        private final float[] dValues;

        Gradient(PanelHead work) {
            this.work = work;
            this.loops = work.loops;
            this.width = work.width;
            this.panels = (work.size + width - 1) / width;
            this.upstream = work.take(work.size * width);
            this.dScores = work.take(work.head.length() * width);
            this.columns = work.take(width * width);
            this.dKeys = takeZeros();
            this.dValues = takeZeros();
        }

        /** {@code [T, D]}, filled up to whole panels. */
        private float[] takeZeros() {
            int length = work.head.length() * panels * width;
            float[] sums = work.take(length);
            Arrays.fill(sums, 0, length, 0);
            return sums;
        }

        void add(HeadRows dOut, HeadRows dQueries) {
            work.attend();
            work.read(dOut);
            work.transpose(1, upstream);
            addProduct(work.weights, dValues); // out = weights·v
            work.multiply(work.values, upstream, dScores);

            loops.softmaxOfColumnsGradient(dScores, work.weights, work.seen); // weights = softmax(scores)

            work.read(work.from); // scores = q·kᵀ/√D
            addProduct(dScores, dKeys);
            work.sumOverKeys(work.keys, dScores);
            work.storeSums(work.head.scale(), dQueries);
        }

        /** {@code sum [T, D] += panel [T, width]·rows [width, D]}, the rows that were read last. */
        private void addProduct(float[] panel, float[] sum) {
            for (int column = 0; column < work.size; column += width) {
                int length = Math.min(width, work.size - column);
                for (int i = 0; i < work.count; i++) {
                    System.arraycopy(work.rows, i * work.size + column, columns, i * width, length);
                }
                loops.addRows(work.seen, panel, 0, width, 1, columns, 0, work.count, sum, column, panels * width);
            }
        }

        void store(float[] sum, float factor, HeadRows into) {
            VectorLoops.ACTIVE.scale(sum, factor, 0, work.head.length() * panels * width);
            for (int t = 0; t < work.head.length(); t++) {
                into.write(t, sum, t * panels * width);
            }
        }
    }
}
