package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.training.TrainingListener;

/** Is told how a run goes on; what a person sees of it is the implementation's affair. */
public interface RunMonitor {

    /** Tells nobody. */
    RunMonitor SILENT = new RunMonitor() {};

    /** A stage begins; {@code detail} says on what. */
    default void onStage(Stage stage, String detail) {}

    /** Something worth a line. */
    default void onNote(String text) {}

    /** A listener for a trainer's steps. */
    default TrainingListener listener(Stage stage) {
        return (trainer, report) -> true;
    }

    /** So much of a stage that has no trainer is done. */
    default void onProgress(Stage stage, int done, int total) {}
}
