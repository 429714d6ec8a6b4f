package io.github.rlhf4j.core.training;

import java.time.Duration;
import java.util.List;

/** The loop that every trainer shares. */
final class TrainingLoop {

    private TrainingLoop() {}

    static RunReport run(Trainer trainer, List<TrainingListener> listeners) {
        long start = System.nanoTime();
        long stepsBefore = trainer.stepsDone();
        listeners.forEach(listener -> listener.onStart(trainer));
        StepReport last = null;
        boolean goOn = true;
        while (goOn && !trainer.finished()) {
            last = trainer.step();
            for (TrainingListener listener : listeners) {
                goOn &= listener.onStep(trainer, last);
            }
        }
        RunReport report = new RunReport(
                trainer.name(),
                trainer.stepsDone() - stepsBefore,
                trainer.finished(),
                Duration.ofNanos(System.nanoTime() - start),
                last);
        listeners.forEach(listener -> listener.onEnd(trainer, report));
        return report;
    }
}
