package io.github.rlhf4j.transformer.files;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An open safetensors file: 8 bytes of header length (little-endian), a JSON header, the data. Nothing in the file is
 * believed before it is checked, and no memory is allocated by a number that is larger than the file itself.
 */
public final class SafetensorsFile implements AutoCloseable {

    /** The longest header the format's own reader accepts. */
    private static final long LONGEST_HEADER = 100_000_000;

    private static final int CHUNK = 1 << 18;

    private final Path path;
    private final FileChannel channel;
    private final long dataStart;
    private final SafetensorsHeader header;

    private SafetensorsFile(Path path, FileChannel channel, long dataStart, SafetensorsHeader header) {
        this.path = path;
        this.channel = channel;
        this.dataStart = dataStart;
        this.header = header;
    }

    /** See {@link Safetensors#open}. */
    static SafetensorsFile open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path);
        try {
            long size = channel.size();
            if (size < 8) {
                throw new IOException(path + ": a safetensors file starts with 8 bytes of header length, this one has "
                        + size + " bytes in all");
            }
            long headerBytes = readFully(path, channel, 0, 8).getLong();
            if (headerBytes < 2 || headerBytes > Math.min(LONGEST_HEADER, size - 8)) {
                throw new IOException(path + ": the header length is given as " + Long.toUnsignedString(headerBytes)
                        + " bytes; it must lie between 2 and " + Math.min(LONGEST_HEADER, size - 8)
                        + " in a file of " + size + " bytes, so the file is truncated or no safetensors file");
            }
            byte[] json = readFully(path, channel, 8, (int) headerBytes).array();
            long dataStart = 8 + headerBytes;
            return new SafetensorsFile(path, channel, dataStart, SafetensorsHeader.parse(path, json, size - dataStart));
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /** The tensors by name, in the order of their data. */
    public Map<String, TensorInfo> tensors() {
        return header.tensors();
    }

    /** The free text of the header's {@code __metadata__}. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * The tensor that can fill {@code target}: present under this name, of this shape, of a type that fits without loss.
     *
     * @throws IOException naming the tensor and what differs
     */
    public TensorInfo require(String name, FlatTensor target) throws IOException {
        TensorInfo tensor = tensors().get(name);
        if (tensor == null) {
            throw new IOException(path + ": tensor " + name + " is missing; the file holds "
                    + tensors().size() + " tensors: "
                    + abbreviated(tensors().keySet().toString()));
        }
        if (!Arrays.equals(tensor.shape(), target.shape())) {
            throw new IOException(path + ": tensor " + name + " has shape " + Arrays.toString(tensor.shape())
                    + ", the model needs " + Arrays.toString(target.shape()));
        }
        boolean narrows = tensor.type() == TensorType.F64 && target.type() == TensorType.F32;
        if (!tensor.type().isFloatingPoint() || narrows) {
            throw new IOException(
                    path + ": tensor " + name + " has dtype " + tensor.type() + ", which does not fit into "
                            + target.type() + " without loss; convert the file to " + target.type());
        }
        return tensor;
    }

    private static String abbreviated(String names) {
        return names.length() <= 300 ? names : names.substring(0, 300) + "…";
    }

    /** Reads the tensor of the target's own name. */
    public void read(FlatTensor target) throws IOException {
        read(target.name(), target);
    }

    /**
     * Reads a tensor into a flat buffer; F32 and F64 to the same bits, F16 and BF16 widened exactly.
     *
     * @param name as the file has it
     * @throws IOException naming the tensor, when it is missing, of another shape, or of a type that would lose digits
     */
    public void read(String name, FlatTensor target) throws IOException {
        TensorInfo tensor = require(name, target);
        int bytes = tensor.type().bytes();
        ByteBuffer chunk = buffer((int) Math.min(CHUNK, tensor.length()) * bytes);
        for (long done = 0; done < tensor.length(); done += CHUNK) {
            int count = (int) Math.min(CHUNK, tensor.length() - done);
            readFully(
                    path,
                    channel,
                    dataStart + tensor.begin() + done * bytes,
                    chunk.clear().limit(count * bytes));
            try (INDArray values = numbers(tensor.type(), chunk, count)) {
                target.part(done, count).assign(values);
            }
        }
    }

    private static INDArray numbers(TensorType type, ByteBuffer chunk, int count) {
        if (type == TensorType.F64) {
            double[] values = new double[count];
            chunk.asDoubleBuffer().get(values);
            return Nd4j.createFromArray(values);
        }
        float[] values = new float[count];
        switch (type) {
            case F32 -> chunk.asFloatBuffer().get(values);
            case F16 -> fill(values, i -> TensorType.fromHalf(chunk.getShort(2 * i)));
            default -> fill(values, i -> TensorType.fromBfloat16(chunk.getShort(2 * i)));
        }
        return Nd4j.createFromArray(values);
    }

    private interface FloatAt {
        float at(int index);
    }

    private static void fill(float[] values, FloatAt source) {
        for (int i = 0; i < values.length; i++) {
            values[i] = source.at(i);
        }
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer readFully(Path path, FileChannel channel, long position, int count) throws IOException {
        return readFully(path, channel, position, buffer(count));
    }

    /** Fills the buffer up to its limit. */
    private static ByteBuffer readFully(Path path, FileChannel channel, long position, ByteBuffer buffer)
            throws IOException {
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException(path + ": ended at byte " + (position + buffer.position()) + " where "
                        + buffer.remaining() + " more bytes were expected; the file was cut while it was read");
            }
        }
        return buffer.flip();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
