package io.github.rlhf4j.core.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {

    @TempDir
    Path directory;

    @Test
    void aFailedOutputLeavesTheOldFileAndNothingBesideIt() throws IOException {
        Path file = directory.resolve("model");
        DurableFiles.replace(file, "old".getBytes());
        assertThatThrownBy(() -> DurableFiles.replace(file, beside -> {
                    Files.writeString(beside, "half");
                    throw new IOException("No space left on device");
                }))
                .hasMessageContaining("No space left");
        assertThat(file).hasContent("old");
        assertThat(DurableFiles.filesBelow(directory)).containsExactly(file);
    }

    /** A directory can be renamed but its bytes cannot be synced: were the sync left out, it would come into place. */
    @Test
    void whatCannotBeSyncedDoesNotComeIntoPlace() {
        Path file = directory.resolve("model");
        assertThatThrownBy(() -> DurableFiles.replace(file, Files::createDirectory))
                .isInstanceOf(IOException.class);
        assertThat(file).doesNotExist();
        assertThat(directory).isEmptyDirectory();
    }
}
