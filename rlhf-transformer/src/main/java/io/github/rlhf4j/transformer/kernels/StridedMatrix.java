package io.github.rlhf4j.transformer.kernels;

import java.lang.ref.Reference;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Part of a float matrix in native memory: its rows lie {@code stride} elements apart, so that one head inside packed
 * queries, keys and values is a matrix without a copy. Products are our own ({@link PanelProduct}) or calls of BLAS; both take
 * strides as they are, where ND4J would copy such a view first.
 *
 * @param memory of the whole matrix, floats
 * @param offset element where this part begins
 * @param stride elements from row to row
 */
record StridedMatrix(Pointer memory, long offset, int stride) {

    private static final int ROW_MAJOR = 101;
    private static final int AS_IT_IS = 111;
    private static final int TRANSPOSED = 112;

    /** All of a 'c'-ordered matrix whose rows follow each other. */
    static StridedMatrix of(INDArray matrix) {
        boolean contiguous = (matrix.size(1) == 1 || matrix.stride(1) == 1)
                && (matrix.size(0) == 1 || matrix.stride(0) == matrix.size(1));
        if (matrix.dataType() != DataType.FLOAT || !contiguous) {
            throw new IllegalArgumentException("fused attention takes float matrices whose rows follow each other, not "
                    + matrix.dataType() + " with strides " + Arrays.toString(matrix.stride())
                    + ". Use Nd4jKernels for other types.");
        }
        return new StridedMatrix(matrix.data().pointer(), matrix.offset(), Math.toIntExact(matrix.size(1)));
    }

    /** The part that begins at this row and column. */
    StridedMatrix from(int row, int column) {
        return new StridedMatrix(memory, offset + (long) row * stride + column, stride);
    }

    /** Number {@code number} of this thread's pointers, at element {@code shift} of this part. */
    private MovingPointer pointer(int number, long shift) {
        return Scratch.ofThread().pointer(number).to(memory, offset + shift);
    }

    /** Whether {@link #buffer} can hold this many rows: a buffer has at most 2 GiB. */
    boolean inReach(int rows) {
        return (long) rows * stride <= Integer.MAX_VALUE / Float.BYTES;
    }

    /** The memory of {@code rows} rows of this part, from its first element on. */
    FloatBuffer buffer(int rows, int columns) {
        return pointer(0, 0).buffer((long) (rows - 1) * stride + columns);
    }

    /** {@code this [M, N] = alpha·a [M, K]·b [K, N] + beta·this}. */
    void product(int m, int n, int k, float alpha, StridedMatrix a, StridedMatrix b, float beta) {
        multiply(AS_IT_IS, AS_IT_IS, m, n, k, alpha, a, b, beta);
    }

    /** {@code this [M, N] = alpha·a [M, K]·bᵀ + beta·this}, b {@code [N, K]}. */
    void productWithTransposed(int m, int n, int k, float alpha, StridedMatrix a, StridedMatrix b, float beta) {
        multiply(AS_IT_IS, TRANSPOSED, m, n, k, alpha, a, b, beta);
    }

    /** {@code this [M, N] = alpha·aᵀ·b [K, N] + beta·this}, a {@code [K, M]}. */
    void productOfTransposed(int m, int n, int k, float alpha, StridedMatrix a, StridedMatrix b, float beta) {
        multiply(TRANSPOSED, AS_IT_IS, m, n, k, alpha, a, b, beta);
    }

    private void multiply(
            int formA, int formB, int m, int n, int k, float alpha, StridedMatrix a, StridedMatrix b, float beta) {
        PanelProduct.Factor left = new PanelProduct.Factor(a, formA == TRANSPOSED);
        PanelProduct.Factor right = new PanelProduct.Factor(b, formB == TRANSPOSED);
        if (PanelProduct.pays(m, n, k) && left.inReach(m, k) && right.inReach(k, n) && inReach(m)) {
            PanelProduct.multiply(this, m, n, k, alpha, left, right, beta);
        } else {
            openblas_nolapack.cblas_sgemm(
                    ROW_MAJOR,
                    formA,
                    formB,
                    m,
                    n,
                    k,
                    alpha,
                    a.pointer(0, 0),
                    a.stride,
                    b.pointer(1, 0),
                    b.stride,
                    beta,
                    pointer(2, 0),
                    stride);
        }
        Reference.reachabilityFence(a);
        Reference.reachabilityFence(b);
        Reference.reachabilityFence(this);
    }

    /** Copies {@code length} elements from the beginning of a row on, rows behind it included, to the front of {@code into}. */
    void read(int row, int length, float[] into) {
        pointer(0, (long) row * stride).get(into, 0, length);
        Reference.reachabilityFence(this);
    }

    /** The mirror of {@link #read}. */
    void write(int row, int length, float[] from) {
        pointer(0, (long) row * stride).put(from, 0, length);
        Reference.reachabilityFence(this);
    }
}
