package io.github.rlhf4j.transformer.files.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.TensorType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that are mapped, and cut while they are. */
class FileBytesTest {

    private static final long WINDOW = 1 << 26;
    private static final int PAGE = 4096;

    @TempDir
    Path root;

    /** A file that is longer than a window; all but its ends and the border is a hole. */
    @Test
    void copiesAcrossWindows() throws IOException {
        Path path = root.resolve("long");
        byte[] border = {1, 2, 3, 4, 5, 6, 7, 8};
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(WINDOW + PAGE + 5);
            file.seek(WINDOW - 3);
            file.write(border);
            file.seek(WINDOW + PAGE);
            file.write(new byte[] {9, 8, 7, 6, 5});
        }
        try (FileBytes file = FileBytes.open(path)) {
            assertThat(copy(file, WINDOW - 3, 8)).isEqualTo(border);
            assertThat(copy(file, WINDOW + PAGE, 5)).containsExactly(9, 8, 7, 6, 5);
            assertThat(copy(file, 0, 3)).containsExactly(0, 0, 0);
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> copy(file, WINDOW + PAGE, 6))
                    .withMessageContaining("ended at byte " + (WINDOW + PAGE + 5) + " where 1 more bytes");
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> copy(file, 3 * WINDOW, 1));
        }
    }

    private static byte[] copy(FileBytes file, long position, int count) throws IOException {
        return file.copy(position, ByteBuffer.allocate(count)).array();
    }

    /** Inside a page, where a mapping has zeros, and at its end, where it has nothing. */
    @Test
    void aFileThatIsCutWhileMappedIsRefusedByTensor() throws IOException {
        for (int left : new int[] {0, 1, PAGE, 3 * PAGE + 10, 5 * PAGE - 1}) {
            Path path = root.resolve("cut" + left);
            Files.write(path, new byte[5 * PAGE]);
            TensorInfo tensor = new TensorInfo("weight", TensorType.F32, new long[] {5 * PAGE / 4}, 0, 5 * PAGE);
            float[] into = new float[5 * PAGE / 4];
            try (TensorData data = new TensorData(FileBytes.open(path), 0)) {
                data.read(tensor, 0, into, 0, into.length);
                truncate(path, left);
                assertThatExceptionOfType(IOException.class)
                        .isThrownBy(() -> data.read(tensor, 0, into, 0, into.length))
                        .withMessageContaining("tensor weight of " + path)
                        .withMessageContaining("was cut while it was read");
            }
        }
    }

    private static void truncate(Path path, long length) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        }
    }

    /** By another thread, at some moment: the numbers, or an IOException, and never an error. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aFileThatIsCutDuringACopyEndsInAnIOException() throws Exception {
        Path path = root.resolve("race");
        int length = 256 * PAGE;
        int cut = 0;
        for (int round = 0; round < 1_000; round++) {
            Files.write(path, new byte[length]);
            CountDownLatch started = new CountDownLatch(1);
            Thread cutter = new Thread(() -> {
                started.countDown();
                try {
                    truncate(path, 10);
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            try (FileBytes file = FileBytes.open(path)) {
                cutter.start();
                started.await();
                copy(file, PAGE, length - PAGE);
            } catch (IOException e) {
                cut++;
            }
            cutter.join();
        }
        assertThat(cut).isPositive();
    }
}
