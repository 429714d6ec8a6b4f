package io.github.rlhf4j.transformer.kernels;

import java.lang.ref.Reference;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Bulk copies between {@code float[]} and the memory of 'c'-ordered contiguous float32 arrays of the CPU backend, views
 * into larger buffers included. A copy costs 0.1 µs and the memory traffic, so that a kernel can take some rows into the
 * processor's cache, work on them as plain Java, and put them back.
 *
 * <p>Implementation note. {@code asNioFloat} does the same but costs 0.5–10 µs a call, because it makes a buffer object
 * in native code. Reads and writes of disjoint ranges may run on several threads.
 */
final class HostMemory {

    private HostMemory() {}

    /** All of {@code array}, which has at most {@code into.length} elements. */
    static void read(INDArray array, float[] into) {
        read(array, 0, into, 0, Math.toIntExact(array.length()));
    }

    /** {@code length} elements of {@code array} from {@code elementOffset} on, into {@code into} from {@code at} on. */
    static void read(INDArray array, long elementOffset, float[] into, int at, int length) {
        check(array, elementOffset, length);
        if (length > 0) {
            at(array, elementOffset).get(into, at, length);
            Reference.reachabilityFence(array);
        }
    }

    /** {@code length} elements of an INT8 {@code array} from {@code elementOffset} on, to the front of {@code into}. */
    static void read(INDArray array, long elementOffset, byte[] into, int length) {
        check(array, elementOffset, length);
        if (length > 0) {
            Scratch.ofThread()
                    .bytePointer()
                    .to(array.data().pointer(), array.offset() + elementOffset)
                    .get(into, 0, length);
            Reference.reachabilityFence(array);
        }
    }

    /** The first elements of {@code from} become all of {@code array}. */
    static void write(INDArray array, float[] from) {
        write(array, 0, from, 0, Math.toIntExact(array.length()));
    }

    /** The mirror of {@link #read(INDArray, long, float[], int, int)}. */
    static void write(INDArray array, long elementOffset, float[] from, int at, int length) {
        check(array, elementOffset, length);
        if (length > 0) {
            at(array, elementOffset).put(from, at, length);
            Reference.reachabilityFence(array);
        }
    }

    /** A pointer of this thread's own, because its place is state. */
    private static MovingPointer at(INDArray array, long elementOffset) {
        return Scratch.ofThread().pointer(0).to(array.data().pointer(), array.offset() + elementOffset);
    }

    private static void check(INDArray array, long elementOffset, int length) {
        if (elementOffset < 0 || length < 0 || elementOffset + length > array.length()) {
            throw new IndexOutOfBoundsException("elements " + elementOffset + " to " + (elementOffset + length)
                    + " of an array of " + array.length());
        }
    }
}
