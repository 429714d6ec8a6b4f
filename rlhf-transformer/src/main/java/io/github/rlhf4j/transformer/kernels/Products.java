package io.github.rlhf4j.transformer.kernels;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Matrix products cut into parts, each computed on one thread ({@link StridedMatrix}), so that several products and the loops
 * beside them share our threads. ND4J's own threads spin after each operation, on the cores that the loops between the
 * products need.
 *
 * <p>The parts depend on the shape alone and never split a sum, so the number of threads does not change a bit.
 */
final class Products {

    /** Fewest rows of a part: enough that packing the other factor, which each part does for itself, does not count. */
    private static final int ROWS = PanelProduct.active() ? 512 : 128;

    /** Fewest rows of a part of a product with a transposed first factor, whose columns are packed less cheaply. */
    private static final int ROWS_OF_TRANSPOSED = PanelProduct.active() ? 512 : 256;

    /** Fewest columns of a part where there are too few rows to cut. */
    private static final int COLUMNS = PanelProduct.active() ? 128 : 256;

    private static final int MOST_PARTS = 16;

    private Products() {}

    /** Work on a rectangle of the result; the rectangles of a product do not overlap and may run at the same time. */
    @FunctionalInterface
    interface Part {
        void compute(int row, int rows, int column, int columns);
    }

    /** Runs tasks that do not depend on each other; a thread takes the next one when it is done with one. */
    static void run(List<Runnable> tasks) {
        Parallel.each(tasks.size(), i -> tasks.get(i).run());
    }

    /** Tasks for {@code out [M, N] = alpha·a [M, K]·b [K, N] + beta·out}. */
    static List<Runnable> product(INDArray a, INDArray b, INDArray out, double alpha, double beta) {
        return product(a, b, out, alpha, beta, (row, rows, column, columns) -> {});
    }

    /**
     * As the other {@code product}, each part after {@code before} on the same part: what it leaves there is multiplied by
     * beta.
     */
    static List<Runnable> product(INDArray a, INDArray b, INDArray out, double alpha, double beta, Part before) {
        return product((int) out.size(0), b, StridedMatrix.of(a), StridedMatrix.of(out), alpha, beta, before);
    }

    /** As the other {@code product}, with M and its rows of a and out. */
    static List<Runnable> product(
            int count, INDArray b, StridedMatrix left, StridedMatrix into, double alpha, double beta, Part before) {
        StridedMatrix right = StridedMatrix.of(b);
        int inner = (int) b.size(0);
        return parts(count, (int) b.size(1), ROWS, (row, rows, column, columns) -> {
            before.compute(row, rows, column, columns);
            into.from(row, column)
                    .product(rows, columns, inner, (float) alpha, left.from(row, 0), right.from(0, column), (float)
                            beta);
        });
    }

    /** Tasks for {@code out [M, N] = alpha·a [M, K]·bᵀ + beta·out}, b {@code [N, K]}. */
    static List<Runnable> productWithTransposed(INDArray a, INDArray b, INDArray out, double alpha, double beta) {
        return productWithTransposed(StridedMatrix.of(a), b, out, alpha, beta);
    }

    /** As the other {@code productWithTransposed}, with the M rows of a. */
    static List<Runnable> productWithTransposed(
            StridedMatrix left, INDArray b, INDArray out, double alpha, double beta) {
        StridedMatrix right = StridedMatrix.of(b);
        StridedMatrix into = StridedMatrix.of(out);
        int inner = (int) b.size(1);
        return parts((int) out.size(0), (int) out.size(1), ROWS, (row, rows, column, columns) -> into.from(row, column)
                .productWithTransposed(
                        rows, columns, inner, (float) alpha, left.from(row, 0), right.from(column, 0), (float) beta));
    }

    /** Tasks for {@code out [M, N] = alpha·aᵀ·b [K, N] + beta·out}, a {@code [K, M]}. */
    static List<Runnable> productOfTransposed(INDArray a, INDArray b, INDArray out, double alpha, double beta) {
        return productOfTransposed(a, StridedMatrix.of(b), out, alpha, beta);
    }

    /** As the other {@code productOfTransposed}, with the K rows of b. */
    static List<Runnable> productOfTransposed(
            INDArray a, StridedMatrix right, INDArray out, double alpha, double beta) {
        StridedMatrix left = StridedMatrix.of(a);
        StridedMatrix into = StridedMatrix.of(out);
        int inner = (int) a.size(0);
        return parts(
                (int) out.size(0), (int) out.size(1), ROWS_OF_TRANSPOSED, (row, rows, column, columns) -> into.from(
                                row, column)
                        .productOfTransposed(
                                rows, columns, inner, (float) alpha, left.from(0, row), right.from(0, column), (float)
                                        beta));
    }

    private static List<Runnable> parts(int rows, int columns, int fewestRows, Part part) {
        int byRows = count(rows, fewestRows);
        int byColumns = byRows > 1 ? 1 : count(columns, COLUMNS);
        List<Runnable> tasks = new ArrayList<>(byRows * byColumns);
        for (int p = 0; p < byRows; p++) {
            int row = Parallel.bound(rows, byRows, p);
            int height = Parallel.bound(rows, byRows, p + 1) - row;
            for (int q = 0; q < byColumns; q++) {
                int column = Parallel.bound(columns, byColumns, q);
                int width = Parallel.bound(columns, byColumns, q + 1) - column;
                tasks.add(() -> part.compute(row, height, column, width));
            }
        }
        return tasks;
    }

    /** A power of two: three parts would leave every other of two or four threads waiting for the last one. */
    private static int count(int length, int smallest) {
        return Math.max(1, Integer.highestOneBit(Math.min(MOST_PARTS, length / smallest)));
    }
}
