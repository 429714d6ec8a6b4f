package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;

/** One head's keys and values, and the thread's memory for a block of queries. */
final class PanelHead {

    /** Keys whose scores stay in the first cache while the values' columns meet them. */
    private static final int DEPTH = 128;

    /** Keys and values lie {@code D + GAP} apart: no power of two, whose lines would meet in few sets of the cache. */
    private static final int GAP = 16;

    final PanelLoops loops;
    AttentionHead head;
    final int size;
    final int width;
    private final int pitch;
    private final HeadRows all;
    HeadRows from;
    final float[] keys;
    final float[] values;
    private final float[] queries;
    final float[] weights;
    private final float[] sums;
    final float[] rows;
    private int slot = Scratch.ATTENTION;

    /** The block: queries {@code [first, seen)}, which see the keys {@code [0, seen)}. */
    private int first;

    int count;
    int seen;

    PanelHead(PanelLoops loops, AttentionHead head, StridedMatrix qkv) {
        this.loops = loops;
        this.head = head;
        this.size = head.size();
        this.width = loops.width();
        this.pitch = size + GAP;
        this.all = rowsOf(qkv);
        this.from = all.at(head.column());
        this.keys = take(head.length() * pitch);
        this.values = take(head.length() * pitch);
        this.queries = take(size * width);
        this.weights = take(head.length() * width);
        this.sums = take(size * width);
        this.rows = take(size * width);
        copy(all.at(head.keys()), keys);
        copy(all.at(head.values()), values);
    }

    /** To another query head of the same keys and values. */
    void turnTo(AttentionHead other) {
        head = other;
        from = all.at(other.column());
    }

    float[] take(int length) {
        return Scratch.ofThread().take(slot++, length);
    }

    /** The sequence's rows of {@code [N, (H + 2K)·D]}, the first D columns. */
    HeadRows rowsOf(StridedMatrix qkv) {
        StridedMatrix part = qkv.from(head.start(), 0);
        return new HeadRows(part.buffer(head.length(), qkv.stride()), 0, qkv.stride(), size, 0);
    }

    /** This head's rows of {@code [M, C]}. */
    HeadRows in(StridedMatrix matrix) {
        int first = head.first();
        StridedMatrix part = head.in(matrix, first);
        return new HeadRows(part.buffer(head.length() - first, size), 0, matrix.stride(), size, first);
    }

    private void copy(HeadRows matrix, float[] into) {
        for (int t = 0; t < head.length(); t++) {
            matrix.read(t, into, t * pitch);
        }
    }

    /** To the block of queries that ends before {@code end}. */
    void moveTo(int end) {
        first = Math.max(head.first(), end - width);
        count = end - first;
        seen = end;
    }

    void forward(HeadRows out) {
        attend();
        sumOverKeys(values, weights); // out = weights·v
        storeSums(1, out);
    }

    /** {@code weights = softmax(q·kᵀ/√D)}, transposed: a column for each query of the block. */
    void attend() {
        read(from);
        transpose(head.scale(), queries);
        multiply(keys, queries, weights);
        hide(Float.NEGATIVE_INFINITY);
        loops.softmaxOfColumns(weights, seen);
        hide(0);
    }

    /** The block's rows of a matrix, to {@code rows}. */
    void read(HeadRows matrix) {
        for (int i = 0; i < count; i++) {
            matrix.read(first + i, rows, i * size);
        }
    }

    /** The rows that were read last, times a factor, become columns. */
    void transpose(float factor, float[] panel) {
        for (int p = 0; p < size; p++) {
            int at = p * width;
            for (int i = 0; i < count; i++) {
                panel[at + i] = factor * rows[i * size + p];
            }
            Arrays.fill(panel, at + count, at + width, 0);
        }
    }

    /** {@code product [T, width] = matrix [T, D]·panel [D, width]}. */
    void multiply(float[] matrix, float[] panel, float[] product) {
        Arrays.fill(product, 0, seen * width, 0);
        loops.addRows(seen, matrix, 0, pitch, 1, panel, 0, size, product, 0, width);
    }

    /** {@code sums [D, width] = matrixᵀ·panel}. */
    void sumOverKeys(float[] matrix, float[] panel) {
        Arrays.fill(sums, 0, size * width, 0);
        for (int t = 0; t < seen; t += DEPTH) {
            int depth = Math.min(DEPTH, seen - t);
            loops.addRows(size, matrix, t * pitch, 1, pitch, panel, t * width, depth, sums, 0, width);
        }
    }

    /** The weights of keys behind a query. */
    private void hide(float value) {
        for (int i = 1; i < count; i++) {
            Arrays.fill(weights, (first + i) * width, (first + i) * width + i, value);
        }
    }

    void storeSums(float factor, HeadRows into) {
        for (int i = 0; i < count; i++) {
            for (int p = 0; p < size; p++) {
                rows[i * size + p] = factor * sums[p * width + i];
            }
            into.write(first + i, rows, i * size);
        }
    }
}
