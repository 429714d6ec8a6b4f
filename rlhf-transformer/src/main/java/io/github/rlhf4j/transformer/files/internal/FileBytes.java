package io.github.rlhf4j.transformer.files.internal;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A file's bytes at given positions, little-endian. They are read, not mapped: a mapping of a file that is cut while it is
 * open ends in an error of the virtual machine, a read of it in an IOException. Several threads may read at once.
 */
public final class FileBytes implements Closeable {

    private final Path path;
    private final FileChannel channel;
    private final long size;

    private FileBytes(Path path, FileChannel channel, long size) {
        this.path = path;
        this.channel = channel;
        this.size = size;
    }

    /** Opens a regular file; a directory, a pipe or a device is refused. */
    public static FileBytes open(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException(path + ": is no regular file; give the path of a file");
        }
        FileChannel channel;
        try {
            channel = FileChannel.open(path);
        } catch (NoSuchFileException e) {
            throw new IOException(path + " is missing", e);
        }
        try {
            return new FileBytes(path, channel, channel.size());
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    public Path path() {
        return path;
    }

    /** Bytes of the file when it was opened. */
    public long size() {
        return size;
    }

    /** The {@code count} bytes from {@code position} on; the caller has compared {@code count} with the file's size. */
    public ByteBuffer read(long position, int count) throws IOException {
        return read(position, ByteBuffer.allocate(count).order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Fills a buffer from its position to its limit, and flips it. */
    public ByteBuffer read(long position, ByteBuffer buffer) throws IOException {
        long next = position;
        while (buffer.hasRemaining()) {
            int count = channel.read(buffer, next);
            if (count < 0) {
                throw new EOFException(path + ": ended at byte " + next + " where " + buffer.remaining()
                        + " more bytes were expected; the file was cut while it was read");
            }
            next += count;
        }
        return buffer.flip();
    }

    /**
     * Text of UTF-8 bytes.
     *
     * @throws CharacterCodingException when they are not UTF-8
     */
    public static String utf8(byte[] bytes) throws CharacterCodingException {
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
