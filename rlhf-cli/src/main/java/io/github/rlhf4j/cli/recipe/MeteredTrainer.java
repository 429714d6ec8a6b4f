package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A trainer whose steps report more than it knows itself.
 *
 * @param name of the trainer in metrics, for several of one kind
 * @param trainer does all the work
 * @param more asked once after each step
 */
record MeteredTrainer(String name, Trainer trainer, More more) implements Trainer {

    /** Metrics beside the trainer's own. */
    interface More {
        /** Of the step just done, which took so long. */
        Map<String, Double> after(StepReport report, double seconds);
    }

    @Override
    public StepReport step() {
        long start = System.nanoTime();
        StepReport report = trainer.step();
        double seconds = (System.nanoTime() - start) / 1e9;
        Map<String, Double> metrics = new LinkedHashMap<>(report.metrics());
        metrics.putAll(more.after(report, seconds));
        return new StepReport(name, report.step(), report.totalSteps(), metrics);
    }

    @Override
    public long stepsDone() {
        return trainer.stepsDone();
    }

    @Override
    public long totalSteps() {
        return trainer.totalSteps();
    }

    @Override
    public void save(Path directory) throws IOException {
        trainer.save(directory);
    }

    @Override
    public void restore(Path directory) throws IOException {
        trainer.restore(directory);
    }

    @Override
    public void close() {
        trainer.close();
    }
}
