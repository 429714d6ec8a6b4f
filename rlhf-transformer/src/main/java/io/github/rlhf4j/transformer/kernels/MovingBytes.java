package io.github.rlhf4j.transformer.kernels;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/** As {@link MovingPointer}, of bytes. */
final class MovingBytes extends BytePointer {

    MovingBytes() {
        super((Pointer) null);
    }

    /** Points to byte {@code offset} of those that begin at the address of {@code memory}. */
    MovingBytes to(Pointer memory, long offset) {
        address = memory.address() + offset;
        return this;
    }
}
