package io.github.rlhf4j.transformer.files;

import java.util.Arrays;
import java.util.Set;

/**
 * A tensor to be written.
 *
 * @param name in the file
 * @param type F64, F32, F16, BF16 or Q8_0: what the numbers are stored as, rounded to the nearest (ties to even; Q8_0 as
 *     llama.cpp rounds)
 * @param shape its dimensions, row-major; for Q8_0 the last one is a multiple of 32
 * @param numbers where its elements come from
 */
public record WritableTensor(String name, TensorType type, long[] shape, Numbers numbers) {

    private static final Set<TensorType> WRITABLE =
            Set.of(TensorType.F64, TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0);

    public WritableTensor {
        if (!WRITABLE.contains(type)) {
            throw new IllegalArgumentException(
                    "tensor " + name + " cannot be written as " + type + "; choose F32, F16, BF16, Q8_0 or F64");
        }
        try {
            type.bytes(shape);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "tensor " + name + " cannot be written as " + type + ": " + e.getMessage(), e);
        }
    }

    /** A stretch of a flat buffer as F32 or F64, so that no bit is lost. */
    public static WritableTensor of(FlatTensor tensor) {
        return new WritableTensor(tensor.name(), tensor.type(), tensor.shape(), tensor.numbers());
    }

    /** Number of elements. */
    public long length() {
        return bytes() / type.blockBytes() * type.blockLength();
    }

    /** Bytes it takes in a file. */
    public long bytes() {
        return type.bytes(shape);
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
        return name + " " + type + Arrays.toString(shape);
    }
}
