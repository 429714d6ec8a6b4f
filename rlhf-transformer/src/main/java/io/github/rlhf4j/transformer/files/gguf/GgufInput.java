package io.github.rlhf4j.transformer.files.gguf;

import io.github.rlhf4j.transformer.files.internal.FileBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;

/** The head of a GGUF file, number by number; what is asked for is compared with what is left before any memory is taken. */
final class GgufInput {

    /** Four times what the largest vocabularies take: more would only fill memory. */
    private static final long MOST_BYTES = 1 << 26;

    private static final int BUFFER_BYTES = 1 << 13;

    private final FileBytes file;
    private final long end;
    private final ByteBuffer buffer =
            ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long bufferStart;

    GgufInput(FileBytes file) {
        this.file = file;
        this.end = Math.min(MOST_BYTES, file.size());
    }

    long position() {
        return bufferStart + buffer.position();
    }

    /** Bytes that the head may still take. */
    long remaining() {
        return end - position();
    }

    int int32(String what) throws IOException {
        return take(4, what).getInt();
    }

    long int64(String what) throws IOException {
        return take(8, what).getLong();
    }

    /** A buffer with at least {@code count} bytes, at most 8. */
    ByteBuffer take(int count, String what) throws IOException {
        if (buffer.remaining() < count) {
            require(count, 1, what);
            bufferStart = position();
            int most = (int) Math.min(BUFFER_BYTES, end - bufferStart);
            file.read(bufferStart, buffer.clear().limit(most));
        }
        return buffer;
    }

    String string(String what, long mostBytes) throws IOException {
        long length = int64(what + " (length)");
        if (length < 0 || length > mostBytes) {
            throw refused(
                    what + " may have " + mostBytes + " bytes at most, it is given " + Long.toUnsignedString(length));
        }
        require(length, 1, what);
        byte[] bytes = new byte[(int) length];
        int buffered = Math.min(bytes.length, buffer.remaining());
        buffer.get(bytes, 0, buffered);
        if (buffered < bytes.length) {
            long start = position();
            file.read(start, ByteBuffer.wrap(bytes, buffered, bytes.length - buffered));
            bufferStart = start + bytes.length - buffered;
            buffer.clear().limit(0);
        }
        try {
            return FileBytes.utf8(bytes);
        } catch (CharacterCodingException e) {
            throw refused(what + " is not UTF-8; convert the model again, with a current llama.cpp");
        }
    }

    /** Refuses a count of things that the rest of the head cannot hold. */
    void require(long count, int leastBytes, String what) throws IOException {
        if (count < 0 || count > remaining() / leastBytes) {
            throw refused(what + ": " + Long.toUnsignedString(count) + " of at least " + leastBytes
                    + " bytes are announced where " + remaining() + " bytes of the head remain (a head may have "
                    + MOST_BYTES + " bytes); the file is truncated or damaged");
        }
    }

    IOException refused(String why) {
        return new IOException(file.path() + ": " + why);
    }
}
