package io.github.rlhf4j.core.training;

import java.io.IOException;
import java.io.UncheckedIOException;

/** Saves a trainer every so many steps, and when the run ends or is stopped. */
public final class CheckpointListener implements TrainingListener {

    private final CheckpointSeries series;
    private final long everySteps;
    private long savedStep = -1;

    /**
     * @param everySteps ≥ 1; a step whose number is a multiple of it is followed by a save
     */
    public CheckpointListener(CheckpointSeries series, long everySteps) {
        if (everySteps < 1) {
            throw new IllegalArgumentException(
                    "a checkpoint is saved every so many steps, at least 1, got " + everySteps);
        }
        this.series = series;
        this.everySteps = everySteps;
    }

    /** @throws UncheckedIOException when the checkpoint cannot be written, saying where */
    @Override
    public boolean onStep(Trainer trainer, StepReport report) {
        if (trainer.stepsDone() % everySteps == 0) {
            save(trainer);
        }
        return true;
    }

    /** Saves what the last regular save does not cover. */
    @Override
    public void onEnd(Trainer trainer, RunReport report) {
        if (report.stepsRun() > 0 && savedStep != trainer.stepsDone()) {
            save(trainer);
        }
    }

    private void save(Trainer trainer) {
        try {
            series.save(trainer);
            savedStep = trainer.stepsDone();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "the checkpoint of " + trainer.name() + " after step " + trainer.stepsDone()
                            + " could not be saved in " + series.root() + ": " + e.getMessage()
                            + ". Earlier checkpoints are intact; make room there, then resume.",
                    e);
        }
    }
}
