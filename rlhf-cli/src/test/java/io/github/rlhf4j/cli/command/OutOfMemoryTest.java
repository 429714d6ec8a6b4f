package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class OutOfMemoryTest {

    @TempDir
    Path directory;

    static Stream<Throwable> lacks() {
        return Stream.of(
                new OutOfMemoryError("Java heap space"),
                new OutOfMemoryError("Physical memory usage is too high: physicalBytes (6G) > maxPhysicalBytes (6G)"),
                new OutOfMemoryError("Cannot allocate new FloatPointer(1000): totalBytes = 3G"),
                new RuntimeException("std::bad_alloc"),
                new IllegalStateException("a worker failed", new OutOfMemoryError("Java heap space")));
    }

    @ParameterizedTest
    @MethodSource("lacks")
    void eachLackOfMemoryNamesWhatGivesMoreAndWhatNeedsLess(Throwable lack) {
        assertThat(OutOfMemory.isCauseOf(lack)).isTrue();
        assertThat(OutOfMemory.describe(lack))
                .containsAnyOf("heap space", "Physical memory", "Cannot allocate", "bad_alloc")
                .contains("RLHF_HEAP", "RLHF_MEMORY", "model.width", "model.context");
    }

    @Test
    void anotherErrorIsNone() {
        assertThat(OutOfMemory.isCauseOf(new IllegalStateException("another"))).isFalse();
    }

    @Test
    void aHeapThatIsTooSmallIsAMessageAndExitCode1() throws Exception {
        Path log = directory.resolve("log.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx16m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Rlhf.class.getName(),
                        "run",
                        "--out",
                        directory.resolve("run").toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();

        assertThat(process.waitFor()).as(Files.readString(log)).isEqualTo(1);
        assertThat(log)
                .content()
                .contains("failed: the memory does not suffice", "RLHF_HEAP")
                .doesNotContain("\tat ");
    }
}
