package io.github.rlhf4j.transformer.files;

import io.github.rlhf4j.transformer.files.internal.FileBytes;
import io.github.rlhf4j.transformer.files.internal.TensorData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * An open safetensors file: 8 bytes of header length (little-endian), a JSON header, the data. Nothing in the file is
 * believed before it is checked, and no memory is allocated by a number that is larger than the file itself.
 */
public final class SafetensorsFile implements TensorFile {

    /** The longest header the format's own reader accepts. */
    private static final long LONGEST_HEADER = 100_000_000;

    private static final int CHUNK = 1 << 18;

    private final Path path;
    private final SafetensorsHeader header;
    private final TensorData data;

    private SafetensorsFile(Path path, SafetensorsHeader header, TensorData data) {
        this.path = path;
        this.header = header;
        this.data = data;
    }

    /** See {@link Safetensors#open}. */
    static SafetensorsFile open(Path path) throws IOException {
        FileBytes file = FileBytes.open(path);
        try {
            long size = file.size();
            if (size < 8) {
                throw new IOException(path + ": a safetensors file starts with 8 bytes of header length, this one has "
                        + size + " bytes in all");
            }
            long headerBytes = file.read(0, 8).getLong();
            if (headerBytes < 2 || headerBytes > Math.min(LONGEST_HEADER, size - 8)) {
                throw new IOException(path + ": the header length is given as " + Long.toUnsignedString(headerBytes)
                        + " bytes; it must lie between 2 and " + Math.min(LONGEST_HEADER, size - 8)
                        + " in a file of " + size + " bytes, so the file is truncated or no safetensors file");
            }
            byte[] json = file.read(8, (int) headerBytes).array();
            long dataStart = 8 + headerBytes;
            SafetensorsHeader header = SafetensorsHeader.parse(path, json, size - dataStart);
            return new SafetensorsFile(path, header, new TensorData(file, dataStart));
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    public Path path() {
        return path;
    }

    /** The tensors by name, in the order of their data. */
    @Override
    public Map<String, TensorInfo> tensors() {
        return header.tensors();
    }

    /** The free text of the header's {@code __metadata__}. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    @Override
    public void read(String name, long firstElement, float[] into, int at, int length) throws IOException {
        data.read(require(name), firstElement, into, at, length);
    }

    @Override
    public void read(String name, long firstElement, double[] into, int at, int length) throws IOException {
        data.read(require(name), firstElement, into, at, length);
    }

    /**
     * The tensor that can fill {@code target}: present under this name, of this shape, of a type that fits without loss.
     *
     * @throws IOException naming the tensor and what differs
     */
    public TensorInfo require(String name, FlatTensor target) throws IOException {
        TensorInfo tensor = require(name);
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
        for (long done = 0; done < tensor.length(); done += CHUNK) {
            int count = (int) Math.min(CHUNK, tensor.length() - done);
            try (INDArray values = numbers(tensor, done, count)) {
                target.part(done, count).assign(values);
            }
        }
    }

    private INDArray numbers(TensorInfo tensor, long first, int count) throws IOException {
        if (tensor.type() == TensorType.F64) {
            double[] values = new double[count];
            data.read(tensor, first, values, 0, count);
            return Nd4j.createFromArray(values);
        }
        float[] values = new float[count];
        data.read(tensor, first, values, 0, count);
        return Nd4j.createFromArray(values);
    }

    @Override
    public void close() throws IOException {
        data.close();
    }
}
