package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A trainer whose steps report more than it knows itself.
 *
 * @param trainer does all the work
 * @param more metrics of the step just done, asked for once after each step
 */
record MeteredTrainer(Trainer trainer, Supplier<Map<String, Double>> more) implements Trainer {

    @Override
    public StepReport step() {
        StepReport report = trainer.step();
        Map<String, Double> metrics = new LinkedHashMap<>(report.metrics());
        metrics.putAll(more.get());
        return new StepReport(report.stage(), report.step(), report.totalSteps(), metrics);
    }

    @Override
    public String name() {
        return trainer.name();
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
