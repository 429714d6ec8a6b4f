package io.github.rlhf4j.core.training;

/** Told of a run's progress; may ask it to stop after a step. */
public interface TrainingListener {

    /** Before the first step of a run, which may be a resumed one. */
    default void onStart(Trainer trainer) {}

    /**
     * After each step.
     *
     * @return whether to go on; the run stops, with everything in place to be saved, when one listener says false
     */
    boolean onStep(Trainer trainer, StepReport report);

    /** After the last step of a run, also when a listener stopped it; not after an exception. */
    default void onEnd(Trainer trainer, RunReport report) {}
}
