package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The safetensors format (Hugging Face): named tensors in one file, without code in it. FLOAT buffers are written as F32
 * and DOUBLE ones as F64, so that what is read back has the same bits.
 */
public final class Safetensors {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CHUNK = 1 << 18;

    private Safetensors() {}

    /**
     * Opens a file and checks its header; {@link SafetensorsFile#close} it after use.
     *
     * @throws IOException naming the tensor or field, when the file is truncated, torn or no safetensors file
     */
    public static SafetensorsFile open(Path file) throws IOException {
        return SafetensorsFile.open(file);
    }

    /**
     * Writes tensors in the order given, and syncs them to the disk.
     *
     * @param file replaced when it exists; on an error it may be left half-written: atomicity is the caller's
     * @param metadata free text for the header; {@code {"format": "pt"}} is what {@code transformers} asks for
     * @param tensors of different names
     * @throws IllegalArgumentException when two tensors have one name
     */
    public static void write(Path file, Map<String, String> metadata, List<FlatTensor> tensors) throws IOException {
        byte[] header = header(metadata, tensors);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, length.putLong(header.length).flip());
            writeFully(channel, ByteBuffer.wrap(header));
            for (FlatTensor tensor : tensors) {
                write(channel, tensor);
            }
            channel.force(true);
        }
    }

    /** The JSON header, padded with spaces so that the data starts at a multiple of 8 bytes. */
    private static byte[] header(Map<String, String> metadata, List<FlatTensor> tensors) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode text = root.putObject("__metadata__");
        metadata.forEach(text::put);
        long offset = 0;
        for (FlatTensor tensor : tensors) {
            if (root.has(tensor.name())) {
                throw new IllegalArgumentException("two tensors are named " + tensor.name());
            }
            ObjectNode entry = root.putObject(tensor.name());
            entry.put("dtype", tensor.type().name());
            for (long dimension : tensor.shape()) {
                entry.withArray("shape").add(dimension);
            }
            long end = offset + tensor.length() * tensor.type().bytes();
            entry.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        String json = JSON.writeValueAsString(root);
        int bytes = json.getBytes(StandardCharsets.UTF_8).length;
        return (json + " ".repeat((8 - bytes % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    }

    private static void write(FileChannel channel, FlatTensor tensor) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK * tensor.type().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (long done = 0; done < tensor.length(); done += CHUNK) {
            int count = (int) Math.min(CHUNK, tensor.length() - done);
            chunk.clear();
            INDArray part = tensor.part(done, count);
            if (tensor.type() == TensorType.F64) {
                chunk.asDoubleBuffer().put(part.toDoubleVector());
            } else {
                chunk.asFloatBuffer().put(part.toFloatVector());
            }
            writeFully(channel, chunk.limit(count * tensor.type().bytes()));
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }
}
