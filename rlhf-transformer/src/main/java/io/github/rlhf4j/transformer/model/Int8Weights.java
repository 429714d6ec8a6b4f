package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.transformer.kernels.Int8Matrix;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The matrices of linear layers as bytes: one flat buffer of them, one of scales, named views of both. */
final class Int8Weights implements AutoCloseable {

    private final INDArray bytes;
    private final INDArray scales;
    private final Map<String, Int8Matrix> matrices = new LinkedHashMap<>();

    /**
     * Matrices of zeros.
     *
     * @param shapes {@code [K, M]} of each, at least one
     */
    Int8Weights(Map<String, long[]> shapes) {
        long elements = 0;
        long columns = 0;
        for (long[] shape : shapes.values()) {
            elements = Math.addExact(elements, Math.multiplyExact(shape[0], shape[1]));
            columns += shape[1];
        }
        bytes = Nd4j.zeros(DataType.INT8, elements);
        scales = Nd4j.zeros(DataType.FLOAT, columns);
        long element = 0;
        long column = 0;
        for (Map.Entry<String, long[]> matrix : shapes.entrySet()) {
            long[] shape = matrix.getValue();
            matrices.put(
                    matrix.getKey(),
                    new Int8Matrix(
                            ParameterStore.view(bytes, element, shape), ParameterStore.view(scales, column, shape[1])));
            element += shape[0] * shape[1];
            column += shape[1];
        }
    }

    /** Null when this is not the name of such a matrix. */
    @Nullable
    Int8Matrix get(String name) {
        return matrices.get(name);
    }

    Iterable<String> names() {
        return matrices.keySet();
    }

    long memory() {
        return bytes.length() + scales.length() * Float.BYTES;
    }

    @Override
    public void close() {
        bytes.close();
        scales.close();
    }
}
