package io.github.rlhf4j.transformer.files.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A GGUF file put together number by number, as no writer would. */
final class GgufBytes {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** Magic, version and the two counts. */
    static GgufBytes head(int version, long tensors, long keys) {
        return new GgufBytes()
                .int32(GgufHeader.MAGIC)
                .int32(version)
                .int64(tensors)
                .int64(keys);
    }

    GgufBytes int8(int value) {
        out.write(value);
        return this;
    }

    GgufBytes int32(int value) {
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
        return this;
    }

    GgufBytes int64(long value) {
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
        return this;
    }

    GgufBytes bytes(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    GgufBytes text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return int64(bytes.length).bytes(bytes);
    }

    /** A key and the type of its value, which follows. */
    GgufBytes key(String key, GgufType type) {
        return text(key).int32(type.ordinal());
    }

    /** A tensor; its shape as the file has it, the fastest dimension first. */
    GgufBytes tensor(String name, int type, long place, long... shape) {
        text(name).int32(shape.length);
        for (long dimension : shape) {
            int64(dimension);
        }
        return int32(type).int64(place);
    }

    /** Zeros up to a multiple of this. */
    GgufBytes pad(int alignment) {
        while (out.size() % alignment != 0) {
            out.write(0);
        }
        return this;
    }

    byte[] toBytes() {
        return out.toByteArray();
    }
}
