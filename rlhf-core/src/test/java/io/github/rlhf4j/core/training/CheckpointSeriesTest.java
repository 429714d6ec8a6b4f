package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointSeriesTest {

    @TempDir
    Path root;

    private List<String> names() throws IOException {
        try (Stream<Path> entries = Files.list(root)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    private static ScriptedTrainer after(int steps) {
        ScriptedTrainer trainer = new ScriptedTrainer(1000);
        for (int i = 0; i < steps; i++) {
            trainer.step();
        }
        return trainer;
    }

    @Test
    void keepsTheLastAndFindsTheLatest() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 2);
        assertThat(series.latest()).isEmpty();
        for (int steps : new int[] {5, 10, 120}) {
            assertThat(series.save(after(steps))).isEqualTo(series.directoryOf(steps));
        }
        assertThat(names()).containsExactly("step-00000010", "step-00000120");
        assertThat(series.latest()).contains(root.resolve("step-00000120"));
    }

    @Test
    void anAbsentRootHasNoLatest() throws IOException {
        assertThat(new CheckpointSeries(root.resolve("absent"), 1).latest()).isEmpty();
    }

    @Test
    void whatACrashLeftHalfWrittenIsPassedOver() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 3);
        series.save(after(5));
        Files.createDirectories(root.resolve(".step-00000010.new"));
        Files.createDirectories(root.resolve("step-00000011")); // no manifest
        Files.createDirectories(root.resolve("step-of-mine"));
        assertThat(series.latest()).contains(root.resolve("step-00000005"));
    }

    @Test
    void aSaveThatWasCutOffBetweenItsRenamesIsFound() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 3);
        series.save(after(5));
        series.save(after(7));
        Checkpoints.retire(series.directoryOf(7)); // a crash while step 7 was written again
        assertThat(names()).contains(".step-00000007.old").doesNotContain("step-00000007");
        assertThat(series.latest()).contains(series.directoryOf(7));
        Checkpoints.verify(series.directoryOf(7));
    }

    @Test
    void checkpointsOfAnAbandonedFutureAreDeleted() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 2);
        series.save(after(50));
        series.save(after(100));
        series.save(after(60)); // resumed from 50
        assertThat(names()).containsExactly("step-00000050", "step-00000060");
    }

    @Test
    void aSeriesMustKeepOne() {
        assertThatThrownBy(() -> new CheckpointSeries(root, 0)).hasMessageContainingAll("at least one", "keep = 0");
    }

    @Test
    void theListenerSavesEverySoManyStepsAndAtTheEnd() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 10);
        new ScriptedTrainer(7).run(new CheckpointListener(series, 3));
        assertThat(names()).containsExactly("step-00000003", "step-00000006", "step-00000007");
    }

    @Test
    void aStoppedRunIsSavedWhereItStopped() throws IOException {
        CheckpointSeries series = new CheckpointSeries(root, 10);
        StopSignal stop = new StopSignal();
        ScriptedTrainer trainer = new ScriptedTrainer(100);
        RunReport report = trainer.run(
                (t, step) -> {
                    if (step.step() == 4) {
                        stop.request();
                    }
                    return true;
                },
                stop,
                new CheckpointListener(series, 50));
        assertThat(report.stepsRun()).isEqualTo(4);
        assertThat(report.finished()).isFalse();
        assertThat(stop.requested()).isTrue();

        ScriptedTrainer resumed = new ScriptedTrainer(100);
        resumed.restore(series.latest().orElseThrow());
        assertThat(resumed.stepsDone()).isEqualTo(4);
    }

    @Test
    void aSaveThatFailsNamesThePlaceAndTheRemedy() throws IOException {
        Path file = Files.writeString(root.resolve("a-file"), "in the way");
        CheckpointSeries series = new CheckpointSeries(file.resolve("below"), 1);
        assertThatThrownBy(() -> new ScriptedTrainer(2).run(new CheckpointListener(series, 1)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContainingAll("scripted", "step 1", "a-file", "Earlier checkpoints are intact");
    }

    @Test
    void theListenerNeedsAPeriod() {
        assertThatThrownBy(() -> new CheckpointListener(new CheckpointSeries(root, 1), 0))
                .hasMessageContaining("at least 1, got 0");
    }
}
