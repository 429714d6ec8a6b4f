package io.github.rlhf4j.transformer.kernels;

import java.util.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The weights of a linear layer in {@link WeightFormat#INT8}: {@code w[k, m] = scale[m]·q[k, m]}, a byte each and a float for
 * each column, which is an output of the layer.
 *
 * @param bytes q, {@code [K, M]}, INT8, 'c'-ordered
 * @param scales {@code [M]}, FLOAT
 */
public record Int8Matrix(INDArray bytes, INDArray scales) {

    /** Elements that are rounded at a time. */
    private static final int CHUNK = 1 << 20;

    public Int8Matrix {
        if (bytes.dataType() != DataType.INT8
                || scales.dataType() != DataType.FLOAT
                || bytes.rank() != 2
                || scales.length() != bytes.size(1)) {
            throw new IllegalArgumentException("an int8 matrix is INT8 [K, M] with M scales of type FLOAT, got "
                    + bytes.dataType() + Arrays.toString(bytes.shape()) + " and " + scales.length() + " of "
                    + scales.dataType());
        }
    }

    /** K. */
    public int rows() {
        return (int) bytes.size(0);
    }

    /** M. */
    public int columns() {
        return (int) bytes.size(1);
    }

    /**
     * Becomes the nearest that bytes can hold: {@code scale[m] = max_k |w[k, m]| / 127}, {@code q = round(w/scale)}, both in
     * float32, halves up. So {@code |w − scale·q| ≤ scale/2}, up to rounding; a column of zeros stays zeros.
     *
     * @param weights {@code [K, M]}, FLOAT or DOUBLE
     * @throws IllegalArgumentException when one is not finite
     */
    public void round(INDArray weights) {
        float[] scale = new float[columns()];
        eachChunk(weights, (first, values) -> {
            for (int i = 0; i < values.length; i++) {
                if (!Float.isFinite(values[i])) {
                    throw new IllegalArgumentException("weights must be finite to be held as int8, got " + values[i]);
                }
                scale[i % scale.length] = Math.max(scale[i % scale.length], Math.abs(values[i]));
            }
        });
        for (int m = 0; m < scale.length; m++) {
            scale[m] /= Int8.LARGEST;
        }
        eachChunk(weights, (first, values) -> {
            byte[] rounded = new byte[values.length];
            for (int i = 0; i < rounded.length; i++) {
                rounded[i] = Int8.quantize(values[i], scale[i % scale.length]);
            }
            try (INDArray chunk = Nd4j.createFromArray(rounded)) {
                int count = rounded.length / scale.length;
                Rows.slice(bytes, first, first + count).assign(chunk.reshape('c', count, scale.length));
            }
        });
        try (INDArray all = Nd4j.createFromArray(scale)) {
            scales.assign(all);
        }
    }

    /** Whole rows, from row {@code first} on. */
    @FunctionalInterface
    private interface Chunk {
        void accept(int first, float[] values);
    }

    private void eachChunk(INDArray weights, Chunk chunk) {
        int most = Math.max(1, CHUNK / columns());
        for (int first = 0; first < rows(); first += most) {
            try (INDArray part =
                    Rows.slice(weights, first, Math.min(rows(), first + most)).dup('c')) {
                chunk.accept(first, part.data().asFloat());
            }
        }
    }

    /** {@code into [K, M] = scale·q}, FLOAT or DOUBLE. */
    public void copyTo(INDArray into) {
        into.assign(bytes);
        if (into.dataType() == DataType.FLOAT) {
            Nd4j.exec(new BroadcastMulOp(into, scales, into, 1));
        } else {
            try (INDArray exact = scales.castTo(into.dataType())) {
                Nd4j.exec(new BroadcastMulOp(into, exact, into, 1));
            }
        }
    }

    @Override
    public boolean equals(Object o) {
        return this == o;
    }

    @Override
    public int hashCode() {
        return Objects.hash(rows(), columns());
    }

    @Override
    public String toString() {
        return "INT8 [" + rows() + ", " + columns() + "]";
    }
}
