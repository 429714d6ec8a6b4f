package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that does nothing but replace one checkpoint is killed again and again; a whole one is always found. */
@Tag("slow")
class KilledProcessTest {

    private static final int KILLS = 25;

    @TempDir
    Path root;

    /** Replaces the checkpoint until killed; the content of both files is one counter. */
    public static void main(String[] args) throws IOException {
        Path checkpoint = Path.of(args[0]);
        for (int count = 0; ; count++) {
            byte[] content = new byte[50_000];
            Arrays.fill(content, (byte) count);
            Checkpoints.write(checkpoint, directory -> {
                Files.write(directory.resolve("weights.bin"), content);
                Files.write(directory.resolve("moments.bin"), content);
            });
            if (count == 0) {
                Files.createFile(Path.of(args[1]));
            }
        }
    }

    @Test
    void aKillAtAnyMomentLeavesAWholeCheckpoint() throws Exception {
        Path checkpoint = root.resolve("checkpoint");
        for (int kill = 0; kill < KILLS; kill++) {
            Path started = root.resolve("started-" + kill);
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            KilledProcessTest.class.getName(),
                            checkpoint.toString(),
                            started.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(root.resolve("log.txt").toFile())
                    .start();
            while (!Files.exists(started) && process.isAlive()) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            TimeUnit.MILLISECONDS.sleep(RandomKey.of(kill).below(200));
            assertThat(process.isAlive()).as("before kill %d", kill).isTrue();
            process.destroyForcibly().waitFor();

            Checkpoints.verify(checkpoint);
            assertThat(checkpoint.resolve("weights.bin")).hasSameBinaryContentAs(checkpoint.resolve("moments.bin"));
        }
    }
}
