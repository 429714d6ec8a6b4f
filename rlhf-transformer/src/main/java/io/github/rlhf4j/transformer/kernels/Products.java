package io.github.rlhf4j.transformer.kernels;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Matrix products on several of our threads, each part a BLAS call of one thread. ND4J's own threads spin after each
 * operation, on the cores that the loops between the products need.
 */
final class Products {

    /** Rows of a part: enough that a BLAS call is worth its overhead. The partition depends on the shape alone. */
    private static final int ROWS = 256;

    private Products() {}

    /** {@code out = alpha·a·b + beta·out}, or with {@code bᵀ}; rows of {@code a} and {@code out} in parts. */
    static void byRows(INDArray a, INDArray b, INDArray out, boolean transposeB, double alpha, double beta) {
        int rows = (int) a.size(0);
        int parts = Math.max(1, rows / ROWS);
        if (parts == 1) {
            Nd4j.gemm(a, b, out, false, transposeB, alpha, beta);
            return;
        }
        Parallel.partitions(
                rows,
                parts,
                (part, from, to) -> Nd4j.gemm(
                        Rows.slice(a, from, to), b, Rows.slice(out, from, to), false, transposeB, alpha, beta));
    }
}
