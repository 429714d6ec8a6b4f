package io.github.rlhf4j.core.training;

import java.util.concurrent.atomic.AtomicBoolean;

/** Stops a run after the step it is in, when another thread (a Ctrl-C handler) asks for it. */
public final class StopSignal implements TrainingListener {

    private final AtomicBoolean requested = new AtomicBoolean();

    /** Asks the run to stop after its current step; from any thread, any number of times. */
    public void request() {
        requested.set(true);
    }

    public boolean requested() {
        return requested.get();
    }

    @Override
    public boolean onStep(Trainer trainer, StepReport report) {
        return !requested.get();
    }
}
