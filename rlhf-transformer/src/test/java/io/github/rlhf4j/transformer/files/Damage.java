package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Damaged copies of a small file, and what a reader makes of them: numbers or an {@link IOException} that names the file, soon
 * and in little memory. Anything else that is thrown escapes.
 */
final class Damage {

    /** What hostile writers put where a length, a count, an offset, a size or a type stands. */
    static final long[] ODD_NUMBERS = {
        0,
        -1,
        1L << 31,
        (1L << 32) - 1,
        1L << 32,
        1L << 60,
        (1L << 60) + 1,
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0xffff,
        7,
        12
    };

    private static final long MOST_ALLOCATED = 8 << 20;
    private static final long MOST_NANOSECONDS = 1_000_000_000;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Reads all that there is to read. */
    interface Reader {
        void read() throws IOException;
    }

    private final Path file;
    private final byte[] sound;
    private final Reader reader;

    /**
     * @param file that is damaged, sound now
     * @param reader of it, or of the directory that it lies in
     */
    Damage(Path file, Reader reader) throws IOException {
        this.file = file;
        this.sound = Files.readAllBytes(file);
        this.reader = reader;
        reader.read(); // loads classes, and fails if the file is not sound
    }

    byte[] sound() {
        return sound.clone();
    }

    /** Puts these bytes in the place of the file and reads: the message of a refusal, or null for an answer. */
    @Nullable
    String read(byte[] bytes, String what) throws IOException {
        Files.write(file, bytes);
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long started = THREADS.getCurrentThreadCpuTime();
        String message = null;
        try {
            reader.read();
        } catch (IOException refused) {
            message = String.valueOf(refused.getMessage());
        } catch (RuntimeException | Error escaped) {
            throw new AssertionError(what + " lets out " + escaped, escaped);
        }
        long took = THREADS.getCurrentThreadCpuTime() - started;
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - allocated)
                .as("bytes that %s makes the reader allocate", what)
                .isLessThan(MOST_ALLOCATED);
        assertThat(took).as("nanoseconds that %s takes", what).isLessThan(MOST_NANOSECONDS);
        if (message != null) {
            assertThat(message).as(what).contains(file.getParent().toString()).hasSizeLessThan(70_000);
        }
        return message;
    }

    /** Cuts the file to this length. */
    @Nullable
    String cut(int length) throws IOException {
        return read(Arrays.copyOf(sound, length), "a cut at " + length);
    }

    /** Changes a byte here and a byte there. */
    @Nullable
    String flip(int first, byte mask, int second, byte otherMask) throws IOException {
        byte[] bytes = sound();
        bytes[Math.floorMod(first, bytes.length)] ^= mask;
        bytes[Math.floorMod(second, bytes.length)] ^= otherMask;
        return read(bytes, "flips " + mask + " at " + first + " and " + otherMask + " at " + second);
    }

    /** Puts a number of 4 or 8 bytes at this place. */
    @Nullable
    String splice(int at, int width, long number) throws IOException {
        byte[] bytes = sound();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (width == 8) {
            buffer.putLong(at, number);
        } else {
            buffer.putInt(at, (int) number);
        }
        return read(bytes, number + " in " + width + " bytes at " + at);
    }

    /** Every odd number at every place of the head, as 4 bytes and as 8. */
    void spliceEverywhere(int headBytes) throws IOException {
        for (int at = 0; at + 8 <= Math.min(headBytes, sound.length); at++) {
            for (long number : ODD_NUMBERS) {
                splice(at, 4, number);
                splice(at, 8, number);
            }
        }
    }

    /** Reads every tensor that can be read. */
    static void readTensors(TensorFile file) throws IOException {
        for (TensorInfo tensor : file.tensors().values()) {
            int length = Math.toIntExact(tensor.length());
            file.read(tensor.name(), 0, new float[length], 0, length);
            file.read(tensor.name(), 0, new double[length], 0, length);
        }
    }

    /** Reads all of a model; one that opens has no more parameters than its file has bytes twice. */
    static void readModel(ModelSource model, long bytes) throws IOException {
        model.storedTypes();
        model.chatTemplate();
        ParameterStore.Builder declared = model.hasScoreHead()
                ? Transformer.declare(model.config())
                        .matrix(ModelDirectory.SCORE_HEAD, 1, model.config().width())
                : Transformer.declareWithHead(model.config());
        assertThat(declared.count()).isLessThan(2 * bytes);
        try (ParameterStore store = declared.allocate(DataType.FLOAT)) {
            model.readInto(store);
        }
    }
}
