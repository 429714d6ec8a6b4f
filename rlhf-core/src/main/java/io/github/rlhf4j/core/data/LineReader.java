package io.github.rlhf4j.core.data;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * Lines of a UTF-8 file, plain or gzip (told by its first bytes, not its name), each of bounded length, so that no file can
 * exhaust the memory. A byte order mark is skipped; lines end in LF or CRLF.
 */
final class LineReader implements AutoCloseable {

    /** Longer lines are refused: 64 MiB, far above any real row. */
    static final int MAX_LINE_BYTES = 64 << 20;

    private final Path file;
    private final int maxLineBytes;
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream(1 << 12);
    private int position;
    private int filled;
    private long lineNumber;

    LineReader(Path file, int maxLineBytes) throws IOException {
        this.file = file;
        this.maxLineBytes = maxLineBytes;
        this.in = open(file);
    }

    /** The file's bytes, unzipped when they are gzip, after a byte order mark; supports mark and reset. */
    static InputStream open(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new DatasetException(file + " is a directory; name one file in it");
        }
        InputStream raw;
        try {
            raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        } catch (NoSuchFileException e) {
            throw new DatasetException(file + " does not exist; check the path", e);
        }
        try {
            InputStream in = startsWith(raw, 0x1f, 0x8b)
                    ? new BufferedInputStream(new GZIPInputStream(raw, 1 << 16), 1 << 16)
                    : raw;
            if (startsWith(in, 0xef, 0xbb, 0xbf)) {
                in.skipNBytes(3);
            }
            return in;
        } catch (IOException e) {
            raw.close();
            throw damaged(file, e);
        }
    }

    private static boolean startsWith(InputStream in, int... bytes) throws IOException {
        in.mark(bytes.length);
        boolean same = true;
        for (int expected : bytes) {
            same = same && in.read() == expected;
        }
        in.reset();
        return same;
    }

    /** The next line without its end, or null after the last. */
    @Nullable
    String next() throws IOException {
        if (position == filled && !fill()) {
            return null;
        }
        lineNumber++;
        line.reset();
        boolean ended = false;
        while (!ended && (position < filled || fill())) {
            int end = position;
            while (end < filled && buffer[end] != '\n') {
                end++;
            }
            append(end - position);
            ended = end < filled;
            position = ended ? end + 1 : end;
        }
        byte[] bytes = line.toByteArray();
        int length = bytes.length > 0 && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
        return decode(bytes, length);
    }

    private void append(int count) throws DatasetException {
        if (line.size() + count > maxLineBytes) {
            throw new DatasetException(file + ", line " + lineNumber + " is longer than " + maxLineBytes
                    + " bytes; a dataset has one row or paragraph per line. Is this the right file?");
        }
        line.write(buffer, position, count);
    }

    /** Refills the buffer; false at the end of the file. */
    private boolean fill() throws IOException {
        try {
            position = 0;
            filled = Math.max(0, in.read(buffer));
            return filled > 0;
        } catch (IOException e) {
            throw damaged(file, e);
        }
    }

    /** The number of the line {@link #next()} returned last; 1 for the first. */
    long lineNumber() {
        return lineNumber;
    }

    private String decode(byte[] bytes, int length) throws DatasetException {
        ByteBuffer input = ByteBuffer.wrap(bytes, 0, length);
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(input).toString();
        } catch (CharacterCodingException e) {
            throw new DatasetException(
                    file + ", line " + lineNumber + ": byte " + (input.position() + 1)
                            + " of the line is not valid UTF-8; convert the file to UTF-8 (iconv -t UTF-8)",
                    e);
        }
    }

    /** What a failed read of a file means, said with the file's name. */
    static IOException damaged(Path file, IOException e) {
        if (e instanceof EOFException) {
            return new DatasetException(file + " is a gzip file that ends too early; copy or download it again", e);
        }
        if (e instanceof ZipException) {
            return new DatasetException(
                    file + " begins as a gzip file but is damaged (" + e.getMessage() + "); copy or download it again",
                    e);
        }
        return e;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
