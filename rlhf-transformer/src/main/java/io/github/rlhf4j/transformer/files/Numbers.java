package io.github.rlhf4j.transformer.files;

import java.io.IOException;

/** The elements of one tensor, row-major, in whatever stretches they are asked for: where a tensor to be written comes from. */
@FunctionalInterface
public interface Numbers {

    /** Elements {@code [first, first + length)} to {@code into[at …]}. */
    void read(long first, float[] into, int at, int length) throws IOException;

    /** As {@link #read(long, float[], int, int)}; a source of doubles overrides it, so that no digit is lost. */
    default void read(long first, double[] into, int at, int length) throws IOException {
        float[] floats = new float[length];
        read(first, floats, 0, length);
        for (int i = 0; i < length; i++) {
            into[at + i] = floats[i];
        }
    }
}
