package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Views of consecutive rows of 'c'-ordered matrices. */
public final class Rows {

    private Rows() {}

    /** Rows {@code from} (inclusive) to {@code to} (exclusive) of a matrix {@code [N, M]}, no copy. */
    public static INDArray slice(INDArray matrix, long from, long to) {
        long columns = matrix.size(1);
        return Nd4j.create(
                matrix.data(),
                new long[] {to - from, columns},
                new long[] {columns, 1},
                matrix.offset() + from * columns,
                'c');
    }
}
