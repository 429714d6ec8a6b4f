package io.github.rlhf4j.transformer.kernels;

import java.lang.ref.Reference;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products with an {@link Int8Matrix}, whose floats are never there all at once: each task widens a block of the matrix into
 * its thread's own memory and multiplies all rows with it.
 *
 * <p>The blocks depend on the shape alone, so the number of threads does not change a bit.
 */
final class FusedInt8 {

    /** Most elements of a block: 4 MiB of floats for each thread. */
    private static final int BLOCK = 1 << 20;

    /** Columns or rows of the matrix in a block: the panels of a block of {@link PanelProduct} and a little more. */
    private static final int WIDTH = 512;

    private static final int FEWEST = 64;

    /** Rows of the other factor that meet a block at a time: as many as the sums of a product stay in a core's cache for. */
    private static final int ROWS = 1024;

    private FusedInt8() {}

    /** Work on {@code count} columns, or rows, of the matrix. */
    @FunctionalInterface
    private interface Block {
        void multiply(int first, int count);
    }

    /** {@code out [N, M] = in [N, K]·weight + beta·out}, after {@code before} on each part. */
    static void product(INDArray in, Int8Matrix weight, INDArray out, float beta, Products.Part before) {
        StridedMatrix left = StridedMatrix.of(in);
        StridedMatrix into = StridedMatrix.of(out);
        int inner = weight.rows();
        int rows = (int) in.size(0);
        blocks(weight.columns(), inner, (column, columns) -> {
            StridedMatrix floats = floats(weight, 0, inner, column, columns);
            before.compute(0, rows, column, columns);
            for (int row = 0; row < rows; row += ROWS) {
                into.from(row, column)
                        .product(Math.min(ROWS, rows - row), columns, inner, 1, left.from(row, 0), floats, beta);
            }
        });
        Reference.reachabilityFence(weight);
    }

    /** {@code dIn [N, K] = dOut [N, M]·weightᵀ}. */
    static void productWithTransposed(INDArray dOut, Int8Matrix weight, INDArray dIn) {
        StridedMatrix left = StridedMatrix.of(dOut);
        StridedMatrix into = StridedMatrix.of(dIn);
        int inner = weight.columns();
        int rows = (int) dOut.size(0);
        blocks(weight.rows(), inner, (first, count) -> {
            StridedMatrix floats = floats(weight, first, count, 0, inner);
            for (int row = 0; row < rows; row += ROWS) {
                into.from(row, first)
                        .productWithTransposed(
                                Math.min(ROWS, rows - row), count, inner, 1, left.from(row, 0), floats, 0);
            }
        });
        Reference.reachabilityFence(weight);
    }

    /** Cuts {@code length} into a power of two of blocks, at least two where they are worth it. */
    private static void blocks(int length, int depth, Block task) {
        int width = Math.max(FEWEST, Math.min(WIDTH, BLOCK / depth));
        int least = Math.min(2, Math.max(1, length / FEWEST));
        int needed = Math.max(least, (length + width - 1) / width);
        int count = Math.min(length, Integer.highestOneBit(2 * needed - 1));
        Parallel.each(count, i -> {
            int from = Parallel.bound(length, count, i);
            task.multiply(from, Parallel.bound(length, count, i + 1) - from);
        });
    }

    /** Part of the matrix in this thread's native memory, until it asks for another. */
    private static StridedMatrix floats(Int8Matrix weight, int row, int rows, int column, int columns) {
        Scratch scratch = Scratch.ofThread();
        StridedMatrix floats = new StridedMatrix(scratch.takeNative((long) rows * columns), 0, columns);
        float[] scales = scratch.take(Scratch.INT8_SCALES, columns);
        HostMemory.read(weight.scales(), column, scales, 0, columns);
        float[] line = scratch.take(Scratch.INT8_LINE, columns);
        for (int k = 0; k < rows; k++) {
            widen(weight, row + k, column, columns, scales, line, 0);
            floats.write(k, columns, line);
        }
        return floats;
    }

    /** {@code into[at + j] = scales[j]·q[row, column + j]}, j below {@code length}. */
    static void widen(Int8Matrix weight, int row, int column, int length, float[] scales, float[] into, int at) {
        byte[] q = Scratch.ofThread().takeBytes(length);
        HostMemory.read(weight.bytes(), (long) row * weight.columns() + column, q, length);
        VectorLoops.ACTIVE.scaleBytes(q, scales, into, at, length);
    }
}
