package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The most memory that a process has resident while it trains.
 *
 * @param training the training that is looked at
 */
record MemoryRow(TrainRow training, Goal goal) implements Row {

    private static final int STEPS = 2;

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String work() {
        return "peak resident memory of the process, " + training.work();
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name());
        Models.write(directory, training.shape());
        Models.writeSequences(directory, training.shape().vocabularySize(), training.lengths());
        Job job = bench.job("train", directory, Map.of()).withVariant("eager");
        double ours = peak(bench.sides().ours(job));
        double peer = peak(bench.sides().peer(job));
        Ratio ratio = Ratio.of(Samples.of(ours), Samples.of(peer));
        return Result.measured(this, Figures.memory(ours), Figures.memory(peer), ratio, "peer eager");
    }

    private static double peak(Side opened) throws IOException {
        try (Side side = opened) {
            side.run(STEPS);
            return side.peakBytes();
        }
    }
}
