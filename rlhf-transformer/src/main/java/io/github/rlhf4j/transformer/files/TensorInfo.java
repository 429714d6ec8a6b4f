package io.github.rlhf4j.transformer.files;

import java.util.Arrays;

/**
 * A tensor as a file declares it, checked against the file.
 *
 * @param name its name
 * @param type its element type
 * @param shape its dimensions, row-major; empty for a scalar
 * @param begin first byte, from the start of the file's data
 * @param end one past its last byte
 */
public record TensorInfo(String name, TensorType type, long[] shape, long begin, long end) {

    /** Number of elements. */
    public long length() {
        return (end - begin) / type.blockBytes() * type.blockLength();
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
