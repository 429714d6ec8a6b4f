package io.github.rlhf4j.transformer.kernels;

import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A pointer into memory that somebody else owns, moved from place to place: a new JavaCPP pointer is four objects, one of them
 * a reference that the garbage collector has to follow up. It does not keep the memory alive; its user does, with a {@link
 * java.lang.ref.Reference#reachabilityFence} on the owner behind the last use.
 */
final class MovingPointer extends FloatPointer {

    MovingPointer() {
        super((Pointer) null);
    }

    /** Points to element {@code offset} of the floats that begin at the address of {@code memory}. */
    MovingPointer to(Pointer memory, long offset) {
        address = memory.address() + offset * Float.BYTES;
        return this;
    }

    /** The {@code length} floats that it points to, at most 2 GiB; the owner's memory outlives the use of the buffer. */
    FloatBuffer buffer(long length) {
        limit(length);
        FloatBuffer buffer = asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
        limit(0);
        return buffer;
    }
}
