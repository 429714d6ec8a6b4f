package io.github.rlhf4j.transformer.kernels;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** A head's columns of a matrix in native memory, the first of row {@code first} at element {@code start}. */
record HeadRows(FloatBuffer memory, int start, int stride, int size, int first) {

    /** The columns from this one on, of rows whose first columns these are. */
    HeadRows at(int column) {
        return new HeadRows(memory, start + column, stride, size, first);
    }

    /** Copies a row to {@code into} from {@code at} on. */
    void read(int row, float[] into, int at) {
        memory.get(start + (row - first) * stride, into, at, size);
    }

    void write(int row, float[] from, int at) {
        memory.put(start + (row - first) * stride, from, at, size);
    }

    /** The rows before {@code end} become zero. */
    void clear(int end, float[] scratch) {
        Arrays.fill(scratch, 0, size, 0);
        for (int row = 0; row < end; row++) {
            write(row, scratch, 0);
        }
    }
}
