package io.github.rlhf4j.transformer.files.internal;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file's bytes at given positions, little-endian: heads are read, what is large is copied out of a mapping. Several threads
 * may do so at once.
 *
 * <p>Implementation note. Beyond the end of a file that was cut, a mapping has zeros as far as its page goes, and behind that
 * the virtual machine throws an InternalError, some time after the access. So the size is asked for before each copy, and once
 * more behind it; the error is for those that are cut in between. The file is asked for it, not the channel: an error that
 * comes inside a channel leaves it in a state in which it never closes. One window is mapped at a time; the garbage collector
 * gives back those before it, as Java 17 has no other way.
 */
public final class FileBytes implements Closeable {

    /** Bytes that are mapped at a time. */
    private static final long WINDOW = 1 << 26;

    /** A stretch of the file from {@code start} on. */
    private record Window(long start, ByteBuffer bytes) {

        boolean contains(long position) {
            return position >= start && position < start + bytes.capacity();
        }
    }

    /** So that allocations happen. */
    @SuppressWarnings("unused")
    private static volatile byte[] largest = new byte[0];

    private final Path path;
    private final RandomAccessFile file;
    private final FileChannel channel;
    private final long size;
    private volatile @Nullable Window window;

    private FileBytes(Path path, RandomAccessFile file) throws IOException {
        this.path = path;
        this.file = file;
        this.channel = file.getChannel();
        this.size = file.length();
    }

    /** Opens a regular file; a directory, a pipe or a device is refused. */
    public static FileBytes open(Path path) throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException(path + ": is no regular file; give the path of a file");
        }
        if (Files.notExists(path)) {
            throw new IOException(path + " is missing");
        }
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "r");
        try {
            return new FileBytes(path, file);
        } catch (IOException e) {
            file.close();
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
                throw cut(next, buffer.remaining());
            }
            next += count;
        }
        return buffer.flip();
    }

    /** As {@link #read(long, ByteBuffer)}, from a mapping of the file. */
    public ByteBuffer copy(long position, ByteBuffer buffer) throws IOException {
        int count = buffer.remaining();
        try {
            requireSize(position, count);
            for (long next = position; buffer.hasRemaining(); ) {
                Window mapped = window(next);
                int from = (int) (next - mapped.start());
                int length = Math.min(buffer.remaining(), mapped.bytes().capacity() - from);
                buffer.put(buffer.position(), mapped.bytes(), from, length).position(buffer.position() + length);
                next += length;
            }
            if (file.length() < position + count) {
                awaitError();
                throw cut(position, count);
            }
        } catch (InternalError e) {
            throw (IOException) cut(position, count).initCause(e);
        }
        return buffer.flip();
    }

    /**
     * Takes the error that may be on its way: an allocation too large for the thread's own buffer goes through the virtual
     * machine, where it is thrown.
     */
    private static void awaitError() {
        for (int i = 1; i <= 4; i++) {
            largest = new byte[(1 << 22) + i];
        }
        largest = new byte[0];
    }

    private void requireSize(long position, int count) throws IOException {
        long left = file.length() - position;
        if (left < count) {
            throw cut(position + Math.max(0, left), count - Math.max(0, left));
        }
    }

    private EOFException cut(long position, long missing) {
        return new EOFException(path + ": ended at byte " + position + " where " + missing
                + " more bytes were expected; the file was cut while it was read");
    }

    /** The window with this byte of the file, no part of it behind the end. */
    private Window window(long position) throws IOException {
        Window known = window;
        if (known == null || !known.contains(position)) {
            long start = position / WINDOW * WINDOW;
            long length = Math.min(WINDOW, Math.min(size, file.length()) - start);
            if (length <= position - start) {
                throw cut(start + Math.max(0, length), 1);
            }
            known = new Window(start, channel.map(FileChannel.MapMode.READ_ONLY, start, length));
            window = known;
        }
        return known;
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
        window = null;
        file.close();
    }
}
