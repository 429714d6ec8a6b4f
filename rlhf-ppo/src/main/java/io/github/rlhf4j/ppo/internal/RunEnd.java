package io.github.rlhf4j.ppo.internal;

import io.github.rlhf4j.core.training.Trainer;

/** What trainers of iterations say of a step that is asked for after the last. */
public final class RunEnd {

    private RunEnd() {}

    /**
     * Refuses a step after the last.
     *
     * @param run what the message calls the run: {@code "this PPO run"}
     * @throws IllegalStateException when all iterations are done
     */
    public static void requireUnfinished(Trainer trainer, String run) {
        if (trainer.finished()) {
            throw new IllegalStateException(run + " has done all of its " + trainer.totalSteps()
                    + " iterations; configure more, or start a new run");
        }
    }
}
