package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointsTest {

    @TempDir
    Path root;

    private Path checkpoint;

    @BeforeEach
    void writeOldCheckpoint() throws IOException {
        checkpoint = root.resolve("checkpoint");
        Checkpoints.write(checkpoint, writer("old"));
    }

    private static Checkpoints.Writer writer(String content) {
        return directory -> {
            Files.writeString(directory.resolve("weights.bin"), content);
            Files.createDirectories(directory.resolve("optimizer"));
            Files.writeString(directory.resolve("optimizer/moments.bin"), content + " moments");
        };
    }

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(root)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    private void assertOldIntact() throws IOException {
        Checkpoints.verify(checkpoint);
        assertThat(checkpoint.resolve("weights.bin")).hasContent("old");
        assertThat(names()).containsExactly("checkpoint");
    }

    @Test
    void aNewCheckpointReplacesTheOldOneAndLeavesNothingElse() throws IOException {
        Checkpoints.write(checkpoint, writer("new"));

        Checkpoints.verify(checkpoint);
        assertThat(checkpoint.resolve("weights.bin")).hasContent("new");
        assertThat(names()).containsExactly("checkpoint");
    }

    @Test
    void theSameContentGivesTheSameBytes() throws IOException {
        byte[] first = Files.readAllBytes(checkpoint.resolve("manifest.json"));
        Checkpoints.write(checkpoint, writer("old"));
        assertThat(checkpoint.resolve("manifest.json")).hasBinaryContent(first);
    }

    @Test
    void aWriterThatFailsMidwayLeavesTheOldCheckpointAndNothingElse() throws IOException {
        assertThatThrownBy(() -> Checkpoints.write(checkpoint, directory -> {
                    Files.writeString(directory.resolve("weights.bin"), "half");
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left on device");
        assertOldIntact();
    }

    @Test
    void aFullDiskLeavesTheOldCheckpointAndNothingElse() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "skipped: this system has no /dev/full");
        assertThatThrownBy(() -> Checkpoints.write(checkpoint, directory -> {
                    Files.writeString(directory.resolve("weights.bin"), "half");
                    try (OutputStream out = Files.newOutputStream(full)) {
                        out.write(1);
                    }
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left");
        assertOldIntact();
    }

    @Test
    void aWriterThatRunsOutOfMemoryLeavesTheOldCheckpointAndNothingElse() throws IOException {
        assertThatThrownBy(() -> Checkpoints.write(checkpoint, directory -> {
                    Files.writeString(directory.resolve("weights.bin"), "half");
                    throw new OutOfMemoryError("injected");
                }))
                .isInstanceOf(OutOfMemoryError.class);
        assertOldIntact();
    }

    /** Cut off after each of the steps of a write, what is found is the whole old or the whole new checkpoint. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void aCrashAfterAnyStepOfAWriteLeavesAWholeCheckpoint(int stepsDone) throws IOException {
        if (stepsDone == 0) {
            Files.createDirectories(Checkpoints.hidden(checkpoint, "new"));
            Files.writeString(Checkpoints.hidden(checkpoint, "new").resolve("weights.bin"), "ha");
        }
        if (stepsDone >= 1) {
            Checkpoints.stage(checkpoint, writer("new"));
        }
        if (stepsDone >= 2) {
            Checkpoints.retire(checkpoint);
            assertThat(checkpoint).doesNotExist();
        }
        if (stepsDone >= 3) {
            Checkpoints.publish(checkpoint);
        }

        Checkpoints.verify(checkpoint);
        assertThat(checkpoint.resolve("weights.bin")).hasContent(stepsDone < 2 ? "old" : "new");

        Checkpoints.write(checkpoint, writer("newest"));
        assertThat(checkpoint.resolve("weights.bin")).hasContent("newest");
        assertThat(names()).containsExactly("checkpoint");
    }

    @Test
    void aCrashBetweenTheRenamesFallsBackToTheOldOneWhenTheNewOneIsTorn() throws IOException {
        Checkpoints.stage(checkpoint, writer("new"));
        Checkpoints.retire(checkpoint);
        Files.writeString(Checkpoints.hidden(checkpoint, "new").resolve("weights.bin"), "n");

        Checkpoints.verify(checkpoint);
        assertThat(checkpoint.resolve("weights.bin")).hasContent("old");
    }

    @Test
    void aDirectoryThatIsNoCheckpointIsNotReplaced() throws IOException {
        Path home = Files.createDirectories(root.resolve("home"));
        Files.writeString(home.resolve("thesis.txt"), "years of work");
        assertThatThrownBy(() -> Checkpoints.write(home, writer("new")))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("home", "is not a checkpoint", "choose another directory");
        assertThat(home.resolve("thesis.txt")).hasContent("years of work");
    }

    @Test
    void anEmptyDirectoryMayBecomeACheckpoint() throws IOException {
        Path empty = Files.createDirectories(root.resolve("empty"));
        Checkpoints.write(empty, writer("new"));
        Checkpoints.verify(empty);
    }

    @Test
    void aFlippedByteIsRefusedByName() throws IOException {
        Path file = checkpoint.resolve("optimizer/moments.bin");
        byte[] bytes = Files.readAllBytes(file);
        bytes[3] ^= 1;
        Files.write(file, bytes);
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("optimizer/moments.bin", "was altered", "SHA-256", "another checkpoint");
    }

    @Test
    void aTruncatedFileIsRefusedByName() throws IOException {
        Files.writeString(checkpoint.resolve("weights.bin"), "ol");
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .hasMessageContainingAll("weights.bin", "is torn", "has 2 bytes", "says 3");
    }

    @Test
    void aMissingFileIsRefusedByName() throws IOException {
        Files.delete(checkpoint.resolve("weights.bin"));
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint)).hasMessageContainingAll("weights.bin", "is missing");
    }

    @Test
    void aForeignFileIsRefusedByName() throws IOException {
        Files.writeString(checkpoint.resolve("optimizer/notes.txt"), "mine");
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .hasMessageContainingAll("optimizer/notes.txt", "is not in its manifest", "move it");
    }

    @Test
    void aLinkInPlaceOfAFileIsRefused() throws IOException {
        Path outside = Files.writeString(root.resolve("outside"), "old");
        Files.delete(checkpoint.resolve("weights.bin"));
        Files.createSymbolicLink(checkpoint.resolve("weights.bin"), outside);
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .hasMessageContainingAll("weights.bin", "not a regular file");
    }

    @Test
    void aDirectoryWithoutManifestAndAnAbsentOneAreRefused() throws IOException {
        assertThatThrownBy(() -> Checkpoints.verify(root.resolve("absent")))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContainingAll("absent", "no such checkpoint");
        Files.delete(checkpoint.resolve("manifest.json"));
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContainingAll("manifest.json", "is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../outside", "/etc/passwd", "a/../../outside", "a\\\\..\\\\b", "C:/x", "", "a//b", "./a"})
    void aManifestThatReachesOutsideIsRefused(String path) throws IOException {
        Files.writeString(
                checkpoint.resolve("manifest.json"),
                "{\"format\":\"rlhf4j-checkpoint/1\",\"files\":{\"" + path + "\":{\"size\":1,\"sha256\":\""
                        + "0".repeat(64) + "\"}}}");
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .hasMessageContainingAll("manifest.json", "must be relative and stay inside");
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1", "1e400", "99999999999999999999999", "\"3\"", "3.5", "null"})
    void anAbsurdSizeIsRefused(String size) throws IOException {
        Files.writeString(
                checkpoint.resolve("manifest.json"),
                "{\"format\":\"rlhf4j-checkpoint/1\",\"files\":{\"weights.bin\":{\"size\":" + size + ",\"sha256\":\""
                        + "0".repeat(64) + "\"}}}");
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll("manifest.json", "\"weights.bin\"", "\"size\" in bytes");
    }

    @Test
    void aHugePlausibleSizeIsComparedNotAllocated() throws IOException {
        String manifest = Files.readString(checkpoint.resolve("manifest.json"));
        Files.writeString(
                checkpoint.resolve("manifest.json"), manifest.replace("\"size\" : 3", "\"size\" : " + Long.MAX_VALUE));
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .hasMessageContainingAll("weights.bin", "is torn", Long.toString(Long.MAX_VALUE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "{\"format\":\"other\"}",
                "{\"format\":\"rlhf4j-checkpoint/1\",\"files\":[]}",
                "\0\0"
            })
    void aMalformedManifestIsRefusedByName(String text) throws IOException {
        Files.writeString(checkpoint.resolve("manifest.json"), text);
        assertThatThrownBy(() -> Checkpoints.verify(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("manifest.json");
    }

    @Test
    void aWriterMayNotWriteTheManifest() throws IOException {
        assertThatThrownBy(() -> Checkpoints.write(
                        checkpoint, directory -> Files.writeString(directory.resolve("manifest.json"), "{}")))
                .hasMessageContainingAll("must not write manifest.json");
        assertOldIntact();
    }

    @Test
    void deletingLeavesNothing() throws IOException {
        Checkpoints.delete(checkpoint);
        assertThat(names()).isEmpty();
        assertThatCode(() -> Checkpoints.delete(checkpoint)).doesNotThrowAnyException();
    }

    @Test
    void aReplacedFileIsNeverHalfWritten() throws IOException {
        Path file = root.resolve("file.txt");
        DurableFiles.replace(file, "one".getBytes());
        DurableFiles.replace(file, "two".getBytes());
        assertThat(file).hasContent("two");
        assertThat(names()).containsExactly("checkpoint", "file.txt");
    }
}
