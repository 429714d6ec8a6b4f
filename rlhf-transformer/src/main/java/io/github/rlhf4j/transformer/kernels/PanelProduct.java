package io.github.rlhf4j.transformer.kernels;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products on one thread by the loops of {@link PanelLoops}, for processors with vectors of 512 bits: the OpenBLAS
 * 0.3.19 that ND4J brings reaches 40 % of what such a core can do, or 10 % where it does not know the processor (AMD's
 * Zen 5). The plan is the one of Goto and van de Geijn (Anatomy of High-Performance Matrix Multiplication, 2008): a block of
 * the right factor is brought into panels, a block of rows of the left one into a core's second cache, and each panel meets
 * all these rows while it is in the first.
 *
 * <p>An element of the result is one sum over k in ascending order: it has the same bits wherever a product is cut.
 */
final class PanelProduct {

    /** System property that names what multiplies: panels or blas. */
    static final String PROPERTY = "rlhf4j.products";

    /** Elements of the sums' common dimension in a block: a panel of as many rows stays in the first cache. */
    private static final int DEPTH = 192;

    /** Rows of the left factor in a block, a quarter of a second cache of 512 KiB. */
    private static final int ROWS = 128;

    /** Panels in a block of the right factor. */
    private static final int PANELS = 10;

    /** Between rows of a transposed block: no power of two, whose lines would meet in few sets of the cache. */
    private static final int TRANSPOSED_STRIDE = ROWS + 16;

    /** Rows and multiplications below which packing costs more than it brings. */
    private static final int FEWEST_ROWS = 96;

    private static final long WORTH_PACKING = 1 << 20;

    /** Slots of {@link Scratch}. */
    private static final int LEFT = 4;

    private static final int RIGHT = 5;
    private static final int SUMS = 6;
    private static final int ROW = 7;

    /** The loops that products use, or null where BLAS is at least as fast. */
    private static final @Nullable PanelLoops LOOPS = choose(System.getProperty(PROPERTY), PanelLoops.ACTIVE);

    private PanelProduct() {}

    /** Vectors of 512 bits: on those of 256, ND4J's OpenBLAS is as near to the processor's limit as these loops. */
    static @Nullable PanelLoops choose(@Nullable String property, @Nullable PanelLoops loops) {
        return switch (property == null ? "" : property.strip()) {
            case "" -> loops != null && loops.width() >= 48 ? loops : null;
            case "panels" -> loops;
            case "blas" -> null;
            default ->
                throw new IllegalArgumentException(
                        "the system property " + PROPERTY + " must be panels or blas, got \"" + property + "\"");
        };
    }

    /** What multiplies large matrices, for a log. */
    static String description() {
        return active() ? "our own loops" : "ND4J's BLAS";
    }

    static boolean active() {
        return LOOPS != null;
    }

    /** The loops in use, or null where BLAS multiplies. */
    static @Nullable PanelLoops loops() {
        return LOOPS;
    }

    /** Whether {@link #multiply} is the faster way to a product of this shape. */
    static boolean pays(int m, int n, int k) {
        return LOOPS != null && m >= FEWEST_ROWS && (long) m * n * k >= WORTH_PACKING;
    }

    /** A factor as it lies in memory, and whether its transpose is meant. */
    record Factor(StridedMatrix matrix, boolean transposed) {

        /** Whether a factor {@code [rows, columns]} lies in memory that a buffer can hold. */
        boolean inReach(int rows, int columns) {
            return matrix.inReach(transposed ? columns : rows);
        }
    }

    /** {@code out [M, N] = alpha·left [M, K]·right [K, N] + beta·out}. */
    static void multiply(StridedMatrix out, int m, int n, int k, float alpha, Factor left, Factor right, float beta) {
        multiply(LOOPS, out, m, n, k, alpha, left, right, beta);
    }

    /** As the other {@code multiply}, by given loops. */
    static void multiply(
            PanelLoops loops,
            StridedMatrix out,
            int m,
            int n,
            int k,
            float alpha,
            Factor left,
            Factor right,
            float beta) {
        new Work(loops, m, n, k, left, right).run(out, alpha, beta);
    }

    /** One product: its shape and the thread's memory. */
    private static final class Work {

        private final PanelLoops loops;
        private final int m;
        private final int n;
        private final int k;
        private final Factor left;
        private final Factor right;
        private final FloatBuffer leftMemory;
        private final FloatBuffer rightMemory;
        private final int width;
        private final int blockWidth;
        private final float[] leftBlock = Scratch.ofThread().take(LEFT, DEPTH * TRANSPOSED_STRIDE);
        private final float[] rightBlock;
        private final float[] sums;
        private final float[] row;

        Work(PanelLoops loops, int m, int n, int k, Factor left, Factor right) {
            this.loops = loops;
            this.m = m;
            this.n = n;
            this.k = k;
            this.left = left;
            this.right = right;
            this.leftMemory = left.matrix().buffer(left.transposed() ? k : m, left.transposed() ? m : k);
            this.rightMemory = right.matrix().buffer(right.transposed() ? n : k, right.transposed() ? k : n);
            this.width = loops.width();
            int panels = Math.min(PANELS, (n + width - 1) / width);
            this.blockWidth = panels * width;
            this.rightBlock = Scratch.ofThread().take(RIGHT, DEPTH * blockWidth);
            this.sums = Scratch.ofThread().take(SUMS, m * blockWidth);
            this.row = Scratch.ofThread().take(ROW, Math.max(blockWidth, width * DEPTH));
        }

        void run(StridedMatrix out, float alpha, float beta) {
            FloatBuffer into = out.buffer(m, n);
            for (int column = 0; column < n; column += blockWidth) {
                int columns = Math.min(blockWidth, n - column);
                Arrays.fill(sums, 0, m * blockWidth, 0);
                for (int from = 0; from < k; from += DEPTH) {
                    int depth = Math.min(DEPTH, k - from);
                    packRight(from, depth, column, columns);
                    for (int first = 0; first < m; first += ROWS) {
                        int rows = Math.min(ROWS, m - first);
                        packLeft(first, rows, from, depth);
                        multiplyBlock(first, rows, depth, columns);
                    }
                }
                store(into, out.stride(), column, columns, alpha, beta);
            }
        }

        private void packLeft(int first, int rows, int from, int depth) {
            int stride = left.matrix().stride();
            if (left.transposed()) {
                for (int p = 0; p < depth; p++) {
                    leftMemory.get((from + p) * stride + first, leftBlock, p * TRANSPOSED_STRIDE, rows);
                }
            } else {
                for (int i = 0; i < rows; i++) {
                    leftMemory.get((first + i) * stride + from, leftBlock, i * DEPTH, depth);
                }
            }
        }

        private void packRight(int from, int depth, int column, int columns) {
            if (right.transposed()) {
                packTransposedRight(from, depth, column, columns);
                return;
            }
            int stride = right.matrix().stride();
            for (int p = 0; p < depth; p++) {
                rightMemory.get((from + p) * stride + column, row, 0, columns);
                for (int j = 0; j < columns; j += width) {
                    System.arraycopy(row, j, rightBlock, j * DEPTH + p * width, Math.min(width, columns - j));
                }
            }
        }

        private void packTransposedRight(int from, int depth, int column, int columns) {
            int stride = right.matrix().stride();
            for (int j = 0; j < columns; j += width) {
                int filled = Math.min(width, columns - j);
                for (int i = 0; i < filled; i++) {
                    rightMemory.get((column + j + i) * stride + from, row, i * DEPTH, depth);
                }
                transpose(row, filled, depth, rightBlock, j * DEPTH, width);
            }
        }

        private static void transpose(float[] rows, int count, int depth, float[] panel, int at, int width) {
            for (int p = 0; p < depth; p++) {
                int to = at + p * width;
                for (int i = 0; i < count; i++) {
                    panel[to + i] = rows[i * DEPTH + p];
                }
            }
        }

        private void multiplyBlock(int first, int rows, int depth, int columns) {
            int rowStride = left.transposed() ? 1 : DEPTH;
            int step = left.transposed() ? TRANSPOSED_STRIDE : 1;
            for (int j = 0; j < columns; j += width) {
                loops.addRows(
                        rows,
                        leftBlock,
                        0,
                        rowStride,
                        step,
                        rightBlock,
                        j * DEPTH,
                        depth,
                        sums,
                        first * blockWidth + j,
                        blockWidth);
            }
        }

        private void store(FloatBuffer out, int stride, int column, int columns, float alpha, float beta) {
            for (int i = 0; i < m; i++) {
                int at = i * stride + column;
                int from = i * blockWidth;
                if (beta != 0) {
                    out.get(at, row, 0, columns);
                    combine(sums, from, alpha, row, beta, columns);
                } else if (alpha != 1) {
                    VectorLoops.ACTIVE.scale(sums, alpha, from, from + columns);
                }
                out.put(at, sums, from, columns);
            }
        }

        private static void combine(float[] sums, int from, float alpha, float[] before, float beta, int length) {
            for (int j = 0; j < length; j++) {
                sums[from + j] = alpha * sums[from + j] + beta * before[j];
            }
        }
    }
}
