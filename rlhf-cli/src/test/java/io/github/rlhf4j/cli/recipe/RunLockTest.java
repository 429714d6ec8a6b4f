package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.cli.InputException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Within one program; {@code InterruptedRunTest} has two, and one that is killed. */
class RunLockTest {

    @TempDir
    Path directory;

    @Test
    void oneRunAtATimeHasADirectory() throws IOException {
        RunDirectory run = new RunDirectory(directory.resolve("new"));
        RunLock first = run.lock();

        assertThatThrownBy(run::lock)
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("a run is going on in " + run.root(), "wait", "--out");

        assertThat(first.warning()).isNull();
        first.close();
        run.lock().close();
    }

    @Test
    void withoutLocksTheRunGoesOnWithAWarning() throws IOException {
        RunLock.Locking none = channel -> {
            throw new IOException("No locks available");
        };

        try (RunLock lock = RunLock.of(directory, none);
                RunLock second = RunLock.of(directory, none)) {
            assertThat(lock.warning())
                    .startsWith("warning: the file system of " + directory + " locks no files (No locks available)")
                    .contains("one run at a time", "name a directory on a local disk with --out");
            assertThat(second.warning()).isEqualTo(lock.warning());
        }
    }
}
