package io.github.rlhf4j.transformer.files.gguf;

import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.WritableTensor;
import io.github.rlhf4j.transformer.files.internal.TensorEncoding;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** See {@link GgufFile#write}. */
final class GgufWriter {

    private static final int VERSION = 3;

    /** llama.cpp keeps names in 64 bytes with an end mark. */
    private static final int LONGEST_TENSOR_NAME = 63;

    private static final Set<TensorType> WRITABLE =
            Set.of(TensorType.F32, TensorType.F16, TensorType.BF16, TensorType.Q8_0);

    private final ByteArrayOutputStream head = new ByteArrayOutputStream();

    private GgufWriter() {}

    static void write(Path file, Map<String, GgufValue> metadata, List<WritableTensor> tensors) throws IOException {
        long alignment = alignment(metadata);
        requireWritable(tensors);
        byte[] head = new GgufWriter().head(metadata, tensors, alignment);
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            TensorEncoding.writeFully(channel, ByteBuffer.wrap(head));
            pad(channel, alignment);
            for (WritableTensor tensor : tensors) {
                TensorEncoding.write(channel, tensor);
                pad(channel, alignment);
            }
            channel.force(true);
        }
    }

    private static long alignment(Map<String, GgufValue> metadata) {
        GgufValue value = metadata.get(GgufHeader.ALIGNMENT);
        if (value == null) {
            return GgufHeader.DEFAULT_ALIGNMENT;
        }
        if (value instanceof GgufValue.Whole whole
                && whole.type() == GgufType.UINT32
                && Long.bitCount(whole.value()) == 1) {
            return whole.value();
        }
        throw new IllegalArgumentException(
                GgufHeader.ALIGNMENT + " must be a UINT32 that is a power of two, it is " + value);
    }

    private static void requireWritable(List<WritableTensor> tensors) {
        Set<String> names = new HashSet<>();
        for (WritableTensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors are named " + tensor.name());
            }
            int dimensions = tensor.shape().length;
            int nameBytes = tensor.name().getBytes(StandardCharsets.UTF_8).length;
            if (nameBytes > LONGEST_TENSOR_NAME) {
                throw new IllegalArgumentException("tensor " + tensor.name() + " has a name of " + nameBytes
                        + " bytes; llama.cpp reads " + LONGEST_TENSOR_NAME + " at most");
            }
            if (dimensions < 1 || dimensions > GgufHeader.MOST_DIMENSIONS || tensor.bytes() == 0) {
                throw new IllegalArgumentException(
                        "tensor " + tensor + " must have 1 to 4 dimensions, each at least 1, to be written as GGUF");
            }
            if (!WRITABLE.contains(tensor.type())) {
                throw new IllegalArgumentException("tensor " + tensor.name() + " is to be written as " + tensor.type()
                        + "; GGUF files are written with F32, F16, BF16 or Q8_0");
            }
        }
    }

    private byte[] head(Map<String, GgufValue> metadata, List<WritableTensor> tensors, long alignment) {
        put(GgufHeader.MAGIC, 4);
        put(VERSION, 4);
        put(tensors.size(), 8);
        put(metadata.size(), 8);
        metadata.forEach((key, value) -> {
            putText(key);
            put(value.type().ordinal(), 4);
            putValue(value);
        });
        long place = 0;
        for (WritableTensor tensor : tensors) {
            putText(tensor.name());
            put(tensor.shape().length, 4);
            for (int i = tensor.shape().length - 1; i >= 0; i--) {
                put(tensor.shape()[i], 8);
            }
            put(GgufTensorTypes.code(tensor.type()), 4);
            put(place, 8);
            place += (tensor.bytes() + alignment - 1) / alignment * alignment;
        }
        return head.toByteArray();
    }

    private void putValue(GgufValue value) {
        if (value instanceof GgufValue.Whole whole) {
            put(whole.value(), whole.type().leastBytes());
        } else if (value instanceof GgufValue.Real real) {
            boolean narrow = real.type() == GgufType.FLOAT32;
            long bits =
                    narrow ? Float.floatToRawIntBits((float) real.value()) : Double.doubleToRawLongBits(real.value());
            put(bits, real.type().leastBytes());
        } else if (value instanceof GgufValue.Flag flag) {
            put(flag.value() ? 1 : 0, 1);
        } else if (value instanceof GgufValue.Text text) {
            putText(text.value());
        } else if (value instanceof GgufValue.Values array) {
            put(array.elementType().ordinal(), 4);
            put(array.values().size(), 8);
            array.values().forEach(this::putValue);
        }
    }

    private void putText(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        put(bytes.length, 8);
        head.writeBytes(bytes);
    }

    /** The lower bytes of a number, little-endian. */
    private void put(long value, int bytes) {
        head.write(
                ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(value)
                        .array(),
                0,
                bytes);
    }

    private static void pad(FileChannel channel, long alignment) throws IOException {
        long missing = (alignment - channel.position() % alignment) % alignment;
        for (long done = 0; done < missing; done += 4096) {
            TensorEncoding.writeFully(channel, ByteBuffer.allocate((int) Math.min(4096, missing - done)));
        }
    }
}
