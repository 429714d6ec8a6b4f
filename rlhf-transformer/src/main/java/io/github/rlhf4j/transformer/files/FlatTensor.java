package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.model.Parameter;
import io.github.rlhf4j.transformer.model.ParameterStore;
import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A named stretch of a flat buffer: what a tensor file is written from and read into.
 *
 * @param name in the file, {@code "transformer.wte.weight"}
 * @param shape its dimensions, row-major
 * @param flat a rank-1 FLOAT or DOUBLE buffer
 * @param offset of the first element in {@code flat}
 */
public record FlatTensor(String name, long[] shape, INDArray flat, long offset) {

    public FlatTensor {
        DataType type = flat.dataType();
        if (flat.rank() != 1 || (type != DataType.FLOAT && type != DataType.DOUBLE)) {
            throw new IllegalArgumentException("tensor " + name + " must lie in a flat FLOAT or DOUBLE buffer, got "
                    + type + " of shape " + Arrays.toString(flat.shape()));
        }
        long length = Arrays.stream(shape).reduce(1, Math::multiplyExact);
        if (offset < 0 || length < 1 || length > flat.length() - offset) {
            throw new IllegalArgumentException("tensor " + name + Arrays.toString(shape) + " at " + offset
                    + " leaves its buffer of " + flat.length() + " numbers");
        }
    }

    /** The values of a parameter. */
    public static FlatTensor of(ParameterStore store, Parameter parameter) {
        return new FlatTensor(parameter.name(), parameter.shape(), store.values(), parameter.offset());
    }

    /** A whole flat buffer under a name. */
    public static FlatTensor of(String name, INDArray flat) {
        return new FlatTensor(name, new long[] {flat.length()}, flat, 0);
    }

    /** Number of elements. */
    public long length() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** The type it is written as, so that no bit is lost: F32 for FLOAT, F64 for DOUBLE. */
    TensorType type() {
        return flat.dataType() == DataType.DOUBLE ? TensorType.F64 : TensorType.F32;
    }

    /** Elements {@code [from, from + count)} as a view of the buffer. */
    INDArray part(long from, long count) {
        return ParameterStore.view(flat, offset + from, count);
    }

    /** Its elements, for a writer. */
    Numbers numbers() {
        return new Numbers() {
            @Override
            public void read(long first, float[] into, int at, int length) {
                System.arraycopy(part(first, length).toFloatVector(), 0, into, at, length);
            }

            @Override
            public void read(long first, double[] into, int at, int length) {
                System.arraycopy(part(first, length).toDoubleVector(), 0, into, at, length);
            }
        };
    }

    @Override
    public boolean equals(Object o) {
        return this == o;
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }

    @Override
    public String toString() {
        return name + Arrays.toString(shape);
    }
}
