package io.github.rlhf4j.transformer.kernels;

import java.nio.FloatBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A 'c'-ordered float matrix in ND4J's memory, read and written a stretch of a row at a time, by any thread. */
final class HeadMatrix {

    private final FloatBuffer elements;
    private final int columns;

    private HeadMatrix(FloatBuffer elements, int columns) {
        this.elements = elements;
        this.columns = columns;
    }

    static HeadMatrix of(INDArray matrix) {
        if (matrix.dataType() != DataType.FLOAT || !isContiguous(matrix)) {
            throw new IllegalArgumentException("fused attention takes float matrices whose rows follow each other, not "
                    + matrix.dataType() + " with strides " + java.util.Arrays.toString(matrix.stride())
                    + ". Use Nd4jKernels for other types.");
        }
        return new HeadMatrix(matrix.data().asNioFloat().slice(), (int) matrix.size(1));
    }

    private static boolean isContiguous(INDArray matrix) {
        return (matrix.size(1) == 1 || matrix.stride(1) == 1)
                && (matrix.size(0) == 1 || matrix.stride(0) == matrix.size(1));
    }

    int columns() {
        return columns;
    }

    /** Copies {@code length} elements of a row, from a column on, to the front of {@code into}. */
    void read(int row, int column, int length, float[] into, int at) {
        elements.get(Math.addExact(Math.multiplyExact(row, columns), column), into, at, length);
    }

    void write(int row, int column, int length, float[] from, int at) {
        elements.put(Math.addExact(Math.multiplyExact(row, columns), column), from, at, length);
    }
}
