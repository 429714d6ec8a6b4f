package io.github.rlhf4j.transformer.files.gguf;

import io.github.rlhf4j.transformer.files.TensorFile;
import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.WritableTensor;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import io.github.rlhf4j.transformer.files.internal.TensorData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An open GGUF file, version 2 or 3, little-endian: metadata, then tensors, plain (F32, F16, BF16, F64) or quantised (Q8_0,
 * Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K). Shapes are row-major, {@code [out, in]} for a matrix, the reverse of what the
 * file has. A file with a tensor of any other type is refused whole.
 */
public final class GgufFile implements TensorFile {

    private final Path path;
    private final GgufHeader header;
    private final GgufMetadata metadata;
    private final TensorData data;

    private GgufFile(Path path, GgufHeader header, TensorData data) {
        this.path = path;
        this.header = header;
        this.metadata = new GgufMetadata(path, header.values());
        this.data = data;
    }

    /**
     * Opens a file and checks its head.
     *
     * @throws IOException naming the metadata key or tensor, when the file is truncated, damaged or no GGUF file
     */
    public static GgufFile open(Path path) throws IOException {
        FileBytes file = FileBytes.open(path);
        try {
            GgufHeader header = GgufHeader.parse(file);
            return new GgufFile(path, header, new TensorData(file, header.dataStart()));
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Writes a file of version 3, and syncs it to the disk.
     *
     * @param file replaced when it exists; on an error it may be left half-written: atomicity is the caller's
     * @param metadata in this order; {@code general.alignment}, a UINT32, changes the alignment of 32 bytes
     * @param tensors of different names of at most 63 bytes, with 1 to 4 dimensions, as F32, F16, BF16 or Q8_0
     * @throws IllegalArgumentException naming the key or tensor that llama.cpp would not read
     */
    public static void write(Path file, Map<String, GgufValue> metadata, List<WritableTensor> tensors)
            throws IOException {
        GgufWriter.write(file, metadata, tensors);
    }

    @Override
    public Path path() {
        return path;
    }

    /** 2 or 3. */
    public int version() {
        return header.version();
    }

    public GgufMetadata metadata() {
        return metadata;
    }

    @Override
    public Map<String, TensorInfo> tensors() {
        return header.tensors();
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
