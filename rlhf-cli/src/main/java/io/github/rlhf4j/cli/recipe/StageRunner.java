package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.training.CheckpointListener;
import io.github.rlhf4j.core.training.CheckpointSeries;
import io.github.rlhf4j.core.training.MetricsFile;
import io.github.rlhf4j.core.training.RunReport;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Runs trainers to their end: from the last checkpoint, with metrics and checkpoints, until somebody asks to stop. */
final class StageRunner {

    private static final int CHECKPOINTS_KEPT = 2;

    private final RunDirectory directory;
    private final RunMonitor monitor;
    private final StopSignal stop;
    private final int checkpointEvery;

    StageRunner(RunDirectory directory, RunMonitor monitor, StopSignal stop, int checkpointEvery) {
        this.directory = directory;
        this.monitor = monitor;
        this.stop = stop;
        this.checkpointEvery = checkpointEvery;
    }

    /**
     * Runs a trainer until it is finished.
     *
     * @throws RunStoppedException when somebody asked to stop first
     * @throws InputException when its checkpoint is damaged or of another run
     */
    void run(Stage stage, Trainer trainer) throws IOException {
        run(stage, stage.label(), directory.checkpoints(stage), trainer);
    }

    /** As the other {@code run}, for one of several trainers of a stage. */
    void run(Algorithm algorithm, Trainer trainer) throws IOException {
        run(Stage.PPO, algorithm.label(), directory.checkpoints(algorithm), trainer);
    }

    private void run(Stage stage, String name, Path checkpoints, Trainer trainer) throws IOException {
        CheckpointSeries series = new CheckpointSeries(checkpoints, CHECKPOINTS_KEPT);
        Optional<Path> latest = series.latest();
        if (latest.isPresent()) {
            restore(trainer, latest.get());
            monitor.onNote(name + " goes on after step " + trainer.stepsDone() + " of " + trainer.totalSteps());
        }
        checkStop(stage);
        RunReport report = trainer.run(
                new MetricsFile(directory.metrics()),
                monitor.listener(stage),
                new CheckpointListener(series, checkpointEvery),
                stop);
        if (!report.finished()) {
            throw new RunStoppedException(stage, trainer.stepsDone(), directory.root());
        }
    }

    /** @throws RunStoppedException when somebody asked to stop */
    void checkStop(Stage stage) {
        if (stop.requested()) {
            throw new RunStoppedException(stage, 0, directory.root());
        }
    }

    private static void restore(Trainer trainer, Path checkpoint) {
        try {
            trainer.restore(checkpoint);
        } catch (IOException e) {
            throw new InputException(
                    "the checkpoint " + checkpoint + " cannot be resumed from: " + e.getMessage()
                            + ". Delete it to go on from the one before it",
                    e);
        }
    }
}
