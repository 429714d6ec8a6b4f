package io.github.rlhf4j.transformer.files.llama2c;

import io.github.rlhf4j.transformer.files.Numbers;
import io.github.rlhf4j.transformer.files.TensorFile;
import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.WritableTensor;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import io.github.rlhf4j.transformer.files.internal.TensorData;
import io.github.rlhf4j.transformer.files.internal.TensorEncoding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * A model of llama2.c, {@code .bin} version 0: seven int32 (little-endian), then float32 tensors whose shapes and order
 * follow from them. The file's size must be exactly what the header asks for.
 */
public final class Llama2cFile implements TensorFile {

    private static final int HEADER_BYTES = 7 * 4;

    /** "ak42", with which versions 1 and 2 begin. */
    private static final int LATER_MAGIC = 0x616b3432;

    private final Path path;
    private final Llama2cHeader header;
    private final Map<String, TensorInfo> tensors;
    private final TensorData data;

    private Llama2cFile(Path path, Llama2cHeader header, Map<String, TensorInfo> tensors, TensorData data) {
        this.path = path;
        this.header = header;
        this.tensors = tensors;
        this.data = data;
    }

    /**
     * Opens a model.
     *
     * @throws IOException naming the field of the header that is out of its range, or the size that does not fit
     */
    public static Llama2cFile open(Path path) throws IOException {
        FileBytes file = FileBytes.open(path);
        try {
            if (file.size() < HEADER_BYTES) {
                throw new IOException(path + ": a llama2.c model starts with " + HEADER_BYTES
                        + " bytes of header, this file has " + file.size() + " bytes in all");
            }
            Llama2cHeader header = header(path, file.read(0, HEADER_BYTES));
            long expected = HEADER_BYTES + header.tensorBytes();
            if (expected != file.size()) {
                throw new IOException(path + ": " + header + " asks for " + expected + " bytes, the file has "
                        + file.size() + "; it is truncated, or no llama2.c model of version 0");
            }
            // Only now: a layer has nine tensors, and a header without data may claim 10,000 layers.
            return new Llama2cFile(path, header, header.tensors(), new TensorData(file, HEADER_BYTES));
        } catch (IllegalArgumentException e) {
            file.close();
            throw new IOException(path + ": is no llama2.c model of version 0: " + e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Llama2cHeader header(Path path, ByteBuffer bytes) throws IOException {
        int first = bytes.getInt(0);
        if (first == LATER_MAGIC) {
            throw new IOException(path + ": is a llama2.c model of version " + bytes.getInt(4)
                    + ", only version 0 is read; export it with llama2.c's export.py --version 0");
        }
        int vocabularySize = bytes.getInt(20);
        return new Llama2cHeader(
                first,
                bytes.getInt(4),
                bytes.getInt(8),
                bytes.getInt(12),
                bytes.getInt(16),
                // The magnitude of -2^31 stays negative, and is refused as such.
                Math.abs(vocabularySize),
                bytes.getInt(24),
                vocabularySize > 0);
    }

    /**
     * Writes a model that llama2.c runs, and syncs it to the disk.
     *
     * @param file replaced when it exists; atomicity is the caller's
     * @param numbers the elements of each tensor of {@link Llama2cHeader#tensors}, by name; the rotary tables may be
     *     absent, they are then computed for base 10,000
     * @throws IllegalArgumentException naming a tensor that is missing
     */
    public static void write(Path file, Llama2cHeader header, Map<String, Numbers> numbers) throws IOException {
        Map<String, TensorInfo> tensors = header.tensors();
        for (String name : tensors.keySet()) {
            if (!numbers.containsKey(name) && !name.startsWith("freq_cis_")) {
                throw new IllegalArgumentException("tensor " + name + " is missing; a llama2.c model of this shape has "
                        + tensors.keySet().stream().limit(20).toList() + " …");
            }
        }
        ByteBuffer head = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.putInt(header.width()).putInt(header.hidden()).putInt(header.layers());
        head.putInt(header.heads()).putInt(header.keyValueHeads());
        head.putInt(header.tiedEmbeddings() ? header.vocabularySize() : -header.vocabularySize());
        head.putInt(header.contextLength());
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            TensorEncoding.writeFully(channel, head.flip());
            for (TensorInfo tensor : tensors.values()) {
                Numbers source = numbers.getOrDefault(tensor.name(), rotary(header, tensor.name()));
                TensorEncoding.write(channel, new WritableTensor(tensor.name(), tensor.type(), tensor.shape(), source));
            }
            channel.force(true);
        }
    }

    /** cos or sin of position · 10000^(−2i / headSize). */
    private static Numbers rotary(Llama2cHeader header, String name) {
        int pairs = header.headSize() / 2;
        boolean real = name.endsWith("real");
        return (first, into, at, length) -> {
            for (int i = 0; i < length; i++) {
                long position = (first + i) / pairs;
                double angle = position * Math.pow(10_000, -2.0 * ((first + i) % pairs) / header.headSize());
                into[at + i] = (float) (real ? Math.cos(angle) : Math.sin(angle));
            }
        };
    }

    @Override
    public Path path() {
        return path;
    }

    public Llama2cHeader header() {
        return header;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return tensors;
    }

    @Override
    public void read(String name, long firstElement, float[] into, int at, int length) throws IOException {
        data.read(require(name), firstElement, into, at, length);
    }

    @Override
    public void read(String name, long firstElement, double[] into, int at, int length) throws IOException {
        data.read(require(name), firstElement, into, at, length);
    }

    @Override
    public void close() throws IOException {
        data.close();
    }
}
