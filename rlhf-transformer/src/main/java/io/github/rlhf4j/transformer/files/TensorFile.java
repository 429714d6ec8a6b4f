package io.github.rlhf4j.transformer.files;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * Named tensors in a file, whatever its format, read as numbers in any stretch. Nothing in the file was believed before it
 * was checked. Several threads may read at once.
 */
public interface TensorFile extends Closeable {

    /** What was opened, as it was named. */
    Path path();

    /** The tensors by name, in the order of the file. */
    Map<String, TensorInfo> tensors();

    /**
     * Reads elements as floats: F32 to the same bits, F16 and BF16 widened exactly, F64 rounded, quantised types
     * dequantised to the floats of llama.cpp's reference.
     *
     * @param name as the file has it
     * @param firstElement index into the tensor, row-major; it may lie inside a block
     * @param into receives {@code length} elements from {@code at} on
     * @throws IOException naming the file and the tensor: it is missing, of a type that is no floating-point number, or
     *     shorter than asked
     * @throws IndexOutOfBoundsException when {@code into} has no room
     */
    void read(String name, long firstElement, float[] into, int at, int length) throws IOException;

    /** As {@link #read(String, long, float[], int, int)}, and F64 to the same bits. */
    void read(String name, long firstElement, double[] into, int at, int length) throws IOException;

    /**
     * A tensor's place and shape.
     *
     * @throws IOException naming the file and the tensor that it lacks
     */
    default TensorInfo require(String name) throws IOException {
        TensorInfo tensor = tensors().get(name);
        if (tensor == null) {
            String names = tensors().keySet().stream().limit(20).toList().toString();
            throw new IOException(path() + ": tensor " + name + " is missing; the file holds "
                    + tensors().size() + " tensors, the first of them " + names);
        }
        return tensor;
    }

    /** A tensor as a source for writing; valid while this is open. */
    default Numbers numbers(String name) {
        return new Numbers() {
            @Override
            public void read(long first, float[] into, int at, int length) throws IOException {
                TensorFile.this.read(name, first, into, at, length);
            }

            @Override
            public void read(long first, double[] into, int at, int length) throws IOException {
                TensorFile.this.read(name, first, into, at, length);
            }
        };
    }
}
