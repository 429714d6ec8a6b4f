package io.github.rlhf4j.transformer.files.internal;

import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.WritableTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Numbers to the bytes of a tensor type, little-endian. */
public final class TensorEncoding {

    /** Elements at a time, whole blocks of every type. */
    private static final int CHUNK = 1 << 16;

    private TensorEncoding() {}

    /** Appends all of a tensor to a file. */
    public static void write(FileChannel channel, WritableTensor tensor) throws IOException {
        long length = tensor.length();
        int most = (int) Math.min(CHUNK, length);
        ByteBuffer bytes = ByteBuffer.allocate((int) tensor.type().bytes(most)).order(ByteOrder.LITTLE_ENDIAN);
        boolean doubles = tensor.type() == TensorType.F64;
        float[] values = new float[doubles ? 0 : most];
        double[] exact = new double[doubles ? most : 0];
        for (long done = 0; done < length; done += most) {
            int count = (int) Math.min(most, length - done);
            bytes.clear();
            if (doubles) {
                tensor.numbers().read(done, exact, 0, count);
                bytes.asDoubleBuffer().put(exact, 0, count);
                bytes.position(count * 8);
            } else {
                tensor.numbers().read(done, values, 0, count);
                put(tensor, done, values, count, bytes);
            }
            writeFully(channel, bytes.flip());
        }
    }

    /** Writes all that remains in a buffer. */
    public static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    private static void put(WritableTensor tensor, long first, float[] values, int count, ByteBuffer into) {
        switch (tensor.type()) {
            case F32 -> {
                into.asFloatBuffer().put(values, 0, count);
                into.position(count * 4);
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    requireHalf(tensor, first + i, values[i], values[i]);
                    into.putShort(HalfPrecision.toHalf(values[i]));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into.putShort(HalfPrecision.toBfloat16(values[i]));
                }
            }
            case Q8_0 -> {
                for (int i = 0; i < count; i += 32) {
                    putQ8Block(tensor, first + i, values, i, into);
                }
            }
            default -> throw new IllegalArgumentException(tensor.type() + " is not written");
        }
    }

    /**
     * A block of 32 as {@code quantize_row_q8_0_ref} of llama.cpp writes it: scale d = max |x| / 127 as a half, then
     * round(x / d), halves away from zero, where 1/d is taken of d before it was rounded to a half.
     */
    private static void putQ8Block(WritableTensor tensor, long first, float[] values, int from, ByteBuffer into) {
        float largest = 0;
        for (int i = from; i < from + 32; i++) {
            if (!Float.isFinite(values[i])) {
                throw refused(tensor, first + i - from, values[i], "a finite number");
            }
            largest = Math.max(largest, Math.abs(values[i]));
        }
        float d = largest / 127;
        requireHalf(tensor, first, largest, d);
        float inverse = d == 0 ? 0 : 1 / d;
        into.putShort(HalfPrecision.toHalf(d));
        for (int i = from; i < from + 32; i++) {
            // 1/d of a scale below 3e-39 is infinite; that scale is 0 as a half, whatever the quants.
            into.put(Float.isInfinite(inverse) ? 0 : roundAwayFromZero(values[i] * inverse));
        }
    }

    private static byte roundAwayFromZero(float value) {
        float magnitude = Math.abs(value);
        int whole = (int) magnitude;
        int rounded = whole + (2 * (magnitude - whole) >= 1 ? 1 : 0);
        return (byte) (value < 0 ? -rounded : rounded);
    }

    /** A number that becomes infinite as a half would silently spoil the model. */
    private static void requireHalf(WritableTensor tensor, long element, float value, float asHalf) {
        if (Float.isFinite(value) && Math.abs(asHalf) >= HalfPrecision.OVERFLOW) {
            throw refused(tensor, element, value, "within the range of " + tensor.type());
        }
    }

    private static IllegalArgumentException refused(WritableTensor tensor, long element, float value, String rule) {
        return new IllegalArgumentException("tensor " + tensor.name() + ": element " + element + " must be " + rule
                + " to be written as " + tensor.type() + ", it is " + value + "; write this tensor as F32");
    }
}
