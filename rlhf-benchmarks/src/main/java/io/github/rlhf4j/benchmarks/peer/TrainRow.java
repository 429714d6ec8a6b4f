package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Training steps of a language model against PyTorch, the better of eager and compiled.
 *
 * @param shape of the model
 * @param lengths of the batch's sequences, tokens
 * @param plan of the measurement
 * @param leastShareOfPeak of the GEMM peak that we are to reach, in [0, 1]; 0 does not measure it
 */
record TrainRow(
        String name, String work, Goal goal, TransformerConfig shape, int[] lengths, Plan plan, double leastShareOfPeak)
        implements Row {

    private static final List<String> VARIANTS = List.of("eager", "compiled");

    @Override
    public Result measure(Bench bench) throws IOException {
        Path directory = bench.directory(name);
        Models.write(directory, shape);
        Models.writeSequences(directory, shape.vocabularySize(), lengths);
        Comparison times = bench.compare(bench.job("train", directory, Map.of()), VARIANTS, Check.LOSS, plan);
        Result result = Result.measured(
                this,
                times,
                variants(times) + "; ours "
                        + Figures.rate(operations() / 1e9, times.ours().median(), "GFLOP"));
        return leastShareOfPeak > 0 ? withShareOfPeak(result, times, GemmRow.peak(bench)) : result;
    }

    private static String variants(Comparison times) {
        return times.peers().entrySet().stream()
                .map(entry ->
                        entry.getKey() + " " + Figures.duration(entry.getValue().median()))
                .collect(Collectors.joining(", "));
    }

    private double operations() {
        return TrainingOperations.perStep(shape, lengths);
    }

    private Result withShareOfPeak(Result result, Comparison times, double peak) {
        double share = operations() / times.ours().median() / peak;
        String note = String.format(
                Locale.ROOT,
                "%.0f %% of our GEMM peak of %.1f (goal ≥ %.0f %%)",
                100 * share,
                peak / 1e9,
                100 * leastShareOfPeak);
        return share >= leastShareOfPeak ? result.noting(note) : result.missed(note);
    }
}
