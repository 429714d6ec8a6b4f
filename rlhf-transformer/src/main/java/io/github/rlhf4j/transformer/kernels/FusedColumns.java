package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;

/** Some columns of a matrix, out of it and into it. */
final class FusedColumns {

    private FusedColumns() {}

    /** {@code into [N, K] = from[:, first : first + K]}. */
    static void copy(INDArray source, int first, INDArray into) {
        check(source, first, into);
        int width = (int) source.size(1);
        int count = (int) into.size(1);
        Blocks.rows((int) into.size(0), count, (from, to) -> {
            float[] rows = Scratch.ofThread().take(0, (to - from) * count);
            for (int row = from; row < to; row++) {
                HostMemory.read(source, (long) row * width + first, rows, (row - from) * count, count);
            }
            HostMemory.write(into, (long) from * count, rows, 0, (to - from) * count);
        });
    }

    /** {@code into[:, first : first + K] += addends [N, K]}. */
    static void add(INDArray addends, INDArray into, int first) {
        check(into, first, addends);
        int width = (int) into.size(1);
        int count = (int) addends.size(1);
        Blocks.rows((int) addends.size(0), count, (from, to) -> {
            float[] rows = Scratch.ofThread().take(0, (to - from) * count);
            float[] sum = Scratch.ofThread().take(1, count);
            HostMemory.read(addends, (long) from * count, rows, 0, (to - from) * count);
            for (int row = from; row < to; row++) {
                HostMemory.read(into, (long) row * width + first, sum, 0, count);
                ColumnSums.addInto(rows, (row - from) * count, sum, 0, count);
                HostMemory.write(into, (long) row * width + first, sum, 0, count);
            }
        });
    }

    private static void check(INDArray matrix, int first, INDArray part) {
        if (first < 0 || first + part.size(1) > matrix.size(1) || part.size(0) != matrix.size(0)) {
            throw new IndexOutOfBoundsException(part.size(1) + " columns from " + first + " on, of " + part.size(0)
                    + " rows, are outside a matrix of " + matrix.size(0) + " rows and " + matrix.size(1) + " columns");
        }
    }
}
