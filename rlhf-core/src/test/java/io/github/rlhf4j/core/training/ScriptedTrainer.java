package io.github.rlhf4j.core.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A trainer that only counts, and saves its count. */
final class ScriptedTrainer implements Trainer {

    private final long totalSteps;
    private long stepsDone;

    ScriptedTrainer(long totalSteps) {
        this.totalSteps = totalSteps;
    }

    @Override
    public String name() {
        return "scripted";
    }

    @Override
    public long stepsDone() {
        return stepsDone;
    }

    @Override
    public long totalSteps() {
        return totalSteps;
    }

    @Override
    public StepReport step() {
        stepsDone++;
        return new StepReport(name(), stepsDone, totalSteps, Map.of("loss", 1.0 / stepsDone));
    }

    @Override
    public void save(Path directory) throws IOException {
        Checkpoints.write(
                directory, target -> Files.writeString(target.resolve("count.txt"), Long.toString(stepsDone)));
    }

    @Override
    public void restore(Path directory) throws IOException {
        Checkpoints.verify(directory);
        stepsDone = Long.parseLong(Files.readString(directory.resolve("count.txt")));
    }

    @Override
    public void close() {}
}
