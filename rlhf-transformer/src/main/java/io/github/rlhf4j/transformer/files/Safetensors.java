package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.files.internal.TensorEncoding;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * The safetensors format (Hugging Face): named tensors in one file, without code in it. FLOAT buffers are written as F32
 * and DOUBLE ones as F64, so that what is read back has the same bits. Models in several files: {@link SafetensorsSet}.
 */
public final class Safetensors {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Safetensors() {}

    /**
     * Opens a file and checks its header; {@link SafetensorsFile#close} it after use.
     *
     * @throws IOException naming the tensor or field, when the file is truncated, torn or no safetensors file
     */
    public static SafetensorsFile open(Path file) throws IOException {
        return SafetensorsFile.open(file);
    }

    /** As {@link #writeTensors}, each tensor in the type of its buffer. */
    public static void write(Path file, Map<String, String> metadata, List<FlatTensor> tensors) throws IOException {
        writeTensors(file, metadata, tensors.stream().map(WritableTensor::of).toList());
    }

    /**
     * Writes tensors in the order given, and syncs them to the disk.
     *
     * @param file replaced when it exists; on an error it may be left half-written: atomicity is the caller's
     * @param metadata free text for the header; {@code {"format": "pt"}} is what {@code transformers} asks for
     * @param tensors of different names, as F64, F32, F16 or BF16
     * @throws IllegalArgumentException when two tensors have one name, or one is quantised
     */
    public static void writeTensors(Path file, Map<String, String> metadata, List<WritableTensor> tensors)
            throws IOException {
        byte[] header = header(metadata, tensors);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            TensorEncoding.writeFully(channel, length.putLong(header.length).flip());
            TensorEncoding.writeFully(channel, ByteBuffer.wrap(header));
            for (WritableTensor tensor : tensors) {
                TensorEncoding.write(channel, tensor);
            }
            channel.force(true);
        }
    }

    /** The JSON header, padded with spaces so that the data starts at a multiple of 8 bytes. */
    private static byte[] header(Map<String, String> metadata, List<WritableTensor> tensors) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode text = root.putObject("__metadata__");
        metadata.forEach(text::put);
        long offset = 0;
        for (WritableTensor tensor : tensors) {
            requireWritable(root, tensor);
            ObjectNode entry = root.putObject(tensor.name());
            entry.put("dtype", tensor.type().name());
            ArrayNode shape = entry.putArray("shape");
            for (long dimension : tensor.shape()) {
                shape.add(dimension);
            }
            long end = offset + tensor.bytes();
            entry.putArray("data_offsets").add(offset).add(end);
            offset = end;
        }
        String json = JSON.writeValueAsString(root);
        int bytes = json.getBytes(StandardCharsets.UTF_8).length;
        return (json + " ".repeat((8 - bytes % 8) % 8)).getBytes(StandardCharsets.UTF_8);
    }

    private static void requireWritable(ObjectNode written, WritableTensor tensor) {
        if (written.has(tensor.name())) {
            throw new IllegalArgumentException("two tensors are named " + tensor.name());
        }
        if (tensor.type().isQuantized()) {
            throw new IllegalArgumentException("tensor " + tensor.name() + " is to be written as " + tensor.type()
                    + ", which safetensors does not know; choose F32, F16 or BF16, or write a GGUF file");
        }
    }
}
