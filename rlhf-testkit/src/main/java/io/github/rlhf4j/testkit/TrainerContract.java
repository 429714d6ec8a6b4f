package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@link Trainer} promises, as tests. Extend it and give a trainer of a short run. */
public abstract class TrainerContract {

    /** Where checkpoints are written; JUnit makes and deletes it. */
    @TempDir
    protected Path directory;

    /**
     * A new trainer at each call, of the same configuration, data and starting point, everything that it trains new as well;
     * 3 steps in all or more, short ones.
     */
    protected abstract Trainer trainer();

    /** The metrics that are a function of the run; override to leave out those that are measured, such as times. */
    protected Map<String, Double> compared(StepReport report) {
        return report.metrics();
    }

    @Test
    public void stepsAreCountedToTheEnd() {
        try (Trainer trainer = trainer()) {
            long total = trainer.totalSteps();
            assertTrue(total >= 3, () -> "this contract needs a trainer of at least 3 steps, it has " + total);
            for (long step = 1; step <= total; step++) {
                assertFalse(trainer.finished(), "a trainer must not be finished before its last step;");
                StepReport report = trainer.step();
                assertEquals(step, report.step(), "reports must number the steps from 1;");
                assertEquals(step, trainer.stepsDone(), "stepsDone must count the steps;");
                assertEquals(total, report.totalSteps(), "a report must say the steps there are in all;");
                assertEquals(trainer.name(), report.stage(), "a report's stage must be the trainer's name;");
            }
            assertTrue(trainer.finished(), "a trainer must be finished after totalSteps steps");
            assertThrows(IllegalStateException.class, trainer::step, "a step after the last must be refused;");
        }
    }

    @Test
    public void theSameRunHasTheSameMetrics() {
        try (Trainer first = trainer();
                Trainer second = trainer()) {
            assertEquals(finish(first), finish(second), "two runs of one configuration and data must be the same run;");
        }
    }

    @Test
    public void aResumedRunContinuesToTheSameBits() throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        try (Trainer uninterrupted = trainer();
                Trainer interrupted = trainer();
                Trainer resumed = trainer()) {
            uninterrupted.step();
            interrupted.step();
            interrupted.save(checkpoint);
            resumed.restore(checkpoint);
            assertEquals(1, resumed.stepsDone(), "a restored trainer must have done the steps of the saved one;");
            List<Map<String, Double>> expected = finish(uninterrupted);
            assertEquals(expected, finish(resumed), "a resumed run must continue to the same bits;");
            assertEquals(expected, finish(interrupted), "saving must not change the run;");
        }
    }

    @Test
    public void aCheckpointReplacesTheOneBefore() throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        try (Trainer trainer = trainer();
                Trainer restored = trainer()) {
            trainer.save(checkpoint);
            trainer.step();
            trainer.save(checkpoint);
            restored.restore(checkpoint);
            assertEquals(1, restored.stepsDone(), "save must replace the checkpoint that was there; steps restored");
        }
    }

    @Test
    public void aMissingCheckpointIsRefused() {
        try (Trainer trainer = trainer()) {
            Path nothing = directory.resolve("nothing");
            assertThrows(IOException.class, () -> trainer.restore(nothing), "a missing checkpoint must be refused;");
        }
    }

    @Test
    public void aTornCheckpointIsRefused() throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        try (Trainer trainer = trainer();
                Trainer restored = trainer()) {
            trainer.save(checkpoint);
            Path largest = largestFile(checkpoint);
            byte[] bytes = Files.readAllBytes(largest);
            bytes[bytes.length / 2] ^= 1;
            Files.write(largest, bytes);
            assertThrows(
                    IOException.class,
                    () -> restored.restore(checkpoint),
                    "a checkpoint with an altered byte in " + largest.getFileName() + " must be refused;");
        }
    }

    private static Path largestFile(Path directory) throws IOException {
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.filter(Files::isRegularFile)
                    .max(Comparator.comparingLong(path -> path.toFile().length()))
                    .orElseThrow(
                            () -> new AssertionError("save must write a checkpoint; " + directory + " has no file"));
        }
    }

    private List<Map<String, Double>> finish(Trainer trainer) {
        List<Map<String, Double>> metrics = new ArrayList<>();
        while (!trainer.finished()) {
            metrics.add(compared(trainer.step()));
        }
        return metrics;
    }
}
