package io.github.rlhf4j.transformer.files.internal;

import io.github.rlhf4j.transformer.files.TensorFile;
import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.TensorType;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * The numbers of tensors whose places in a file were checked: what the readers of all formats have in common. It holds no more
 * than a chunk of the file in memory.
 */
public final class TensorData implements Closeable {

    private static final int CHUNK_BYTES = 1 << 16;

    private final FileBytes file;
    private final long start;

    /**
     * @param file closed with this
     * @param start byte of the file from which the tensors' places count
     */
    public TensorData(FileBytes file, long start) {
        this.file = file;
        this.start = start;
    }

    /** See {@link TensorFile#read(String, long, float[], int, int)}. */
    public void read(TensorInfo tensor, long first, float[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        requireInside(tensor, first, length);
        if (tensor.type().isQuantized()) {
            readBlocks(tensor, first, into, at, length);
            return;
        }
        int bytes = tensor.type().blockBytes();
        ByteBuffer chunk = chunk((long) length * bytes);
        int most = chunk.capacity() / bytes;
        for (int done = 0; done < length; done += most) {
            int count = Math.min(most, length - done);
            fill(tensor, (first + done) * bytes, chunk.clear().limit(count * bytes));
            widen(tensor.type(), chunk, into, at + done, count);
        }
    }

    /** See {@link TensorFile#read(String, long, double[], int, int)}. */
    public void read(TensorInfo tensor, long first, double[] into, int at, int length) throws IOException {
        Objects.checkFromIndexSize(at, length, into.length);
        requireInside(tensor, first, length);
        boolean exact = tensor.type() == TensorType.F64;
        ByteBuffer chunk = chunk((long) length * 8);
        int most = chunk.capacity() / 8;
        float[] floats = new float[exact ? 0 : Math.min(most, length)];
        for (int done = 0; done < length; done += most) {
            int count = Math.min(most, length - done);
            if (exact) {
                fill(tensor, (first + done) * 8, chunk.clear().limit(count * 8));
                chunk.asDoubleBuffer().get(into, at + done, count);
            } else {
                read(tensor, first + done, floats, 0, count);
                for (int i = 0; i < count; i++) {
                    into[at + done + i] = floats[i];
                }
            }
        }
    }

    private void requireInside(TensorInfo tensor, long first, int length) throws IOException {
        if (!tensor.type().isReadable()) {
            throw new IOException(file.path() + ": tensor " + tensor.name() + " has the type " + tensor.type()
                    + ", which is no floating-point number; it cannot be read as weights");
        }
        if (first < 0 || first > tensor.length() - length) {
            throw new IOException(file.path() + ": tensor " + tensor + " has " + tensor.length()
                    + " elements; asked for were " + length + " from " + first + " on");
        }
    }

    /** Whole blocks go straight to their place, the cut ones at both ends by way of a scratch block. */
    private void readBlocks(TensorInfo tensor, long first, float[] into, int at, int length) throws IOException {
        TensorType type = tensor.type();
        int blockLength = type.blockLength();
        float[] scratch = new float[blockLength];
        long end = first + length;
        long endBlock = (end + blockLength - 1) / blockLength;
        long block = first / blockLength;
        ByteBuffer chunk = chunk((endBlock - block) * type.blockBytes());
        int most = chunk.capacity() / type.blockBytes();
        while (block < endBlock) {
            int count = (int) Math.min(most, endBlock - block);
            fill(tensor, block * type.blockBytes(), chunk.clear().limit(count * type.blockBytes()));
            for (int i = 0; i < count; i++, block++) {
                long begin = block * blockLength;
                int from = (int) Math.max(first - begin, 0);
                int to = (int) Math.min(end - begin, blockLength);
                int place = at + (int) (begin + from - first);
                if (to - from == blockLength) {
                    Dequantization.block(type, chunk.array(), i * type.blockBytes(), into, place);
                } else {
                    Dequantization.block(type, chunk.array(), i * type.blockBytes(), scratch, 0);
                    System.arraycopy(scratch, from, into, place, to - from);
                }
            }
        }
    }

    private static void widen(TensorType type, ByteBuffer chunk, float[] into, int at, int count) {
        switch (type) {
            case F32 -> chunk.asFloatBuffer().get(into, at, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = HalfPrecision.fromHalf(chunk.getShort(2 * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = HalfPrecision.fromBfloat16(chunk.getShort(2 * i));
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    into[at + i] = (float) chunk.getDouble(8 * i);
                }
            }
            default -> throw new IllegalArgumentException(type + " is no floating-point type");
        }
    }

    private static ByteBuffer chunk(long bytes) {
        return ByteBuffer.allocate((int) Math.min(CHUNK_BYTES, bytes)).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void fill(TensorInfo tensor, long byteInTensor, ByteBuffer buffer) throws IOException {
        try {
            file.copy(start + tensor.begin() + byteInTensor, buffer);
        } catch (EOFException e) {
            throw new IOException("tensor " + tensor.name() + " of " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
