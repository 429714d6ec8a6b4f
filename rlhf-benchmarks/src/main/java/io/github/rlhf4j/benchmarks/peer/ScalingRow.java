package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.cli.report.Chart;
import io.github.rlhf4j.cli.report.Series;
import io.github.rlhf4j.cli.report.SvgChart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How our training slows down as the work grows; charts, not a comparison. */
record ScalingRow() implements Row {

    private static final double LOG_2 = Math.log(2);
    private static final int ROUNDS = 3;

    @Override
    public String name() {
        return "scaling";
    }

    @Override
    public String work() {
        return "tokens/s of our training step against length, batch, width and vocabulary (charts)";
    }

    @Override
    public Goal goal() {
        return Goal.NONE;
    }

    @Override
    public boolean needsPeer() {
        return false;
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Files.createDirectories(bench.plots());
        List<String> notes = new ArrayList<>();
        for (Scaling scaling : Scaling.all()) {
            notes.add(plot(bench.quick() ? scaling.quick() : scaling, bench));
        }
        return Result.without(this, Result.Verdict.NO_GOAL, String.join("; ", notes));
    }

    private static String plot(Scaling scaling, Bench bench) throws IOException {
        double[] tokensPerSecond = new double[scaling.values().size()];
        double[] operationsPerSecond = new double[tokensPerSecond.length];
        for (int i = 0; i < tokensPerSecond.length; i++) {
            Scaling.Point point = scaling.point().apply(scaling.values().get(i));
            double seconds = seconds(scaling, point, bench);
            tokensPerSecond[i] = point.tokens() / seconds;
            operationsPerSecond[i] = TrainingOperations.perStep(point.shape(), point.lengths()) / seconds;
        }
        double[] x =
                scaling.values().stream().mapToDouble(v -> Math.log(v) / LOG_2).toArray();
        write(bench.plots(), scaling, "", "tokens/s", x, tokensPerSecond);
        write(bench.plots(), scaling, "-gflops", "GFLOP/s", x, scaled(operationsPerSecond, 1e-9));
        int last = tokensPerSecond.length - 1;
        return String.format(
                Locale.ROOT,
                "%s %,d … %,d: %,.0f … %,.0f tokens/s",
                scaling.file(),
                scaling.values().get(0),
                scaling.values().get(last),
                tokensPerSecond[0],
                tokensPerSecond[last]);
    }

    private static double seconds(Scaling scaling, Scaling.Point point, Bench bench) throws IOException {
        Path directory = bench.directory("scaling-" + scaling.file());
        Models.write(directory, point.shape());
        Models.writeSequences(directory, point.shape().vocabularySize(), point.lengths());
        try (Side ours = bench.sides().ours(bench.job("train", directory, Map.of()))) {
            ours.run(ROUNDS);
            double[] rounds = new double[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                rounds[i] = ours.run(1);
            }
            return new Samples(rounds).median();
        }
    }

    private static double[] scaled(double[] values, double factor) {
        double[] scaled = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            scaled[i] = values[i] * factor;
        }
        return scaled;
    }

    private static void write(Path plots, Scaling scaling, String suffix, String unit, double[] x, double[] y)
            throws IOException {
        Chart chart = new Chart(
                unit + " of a training step",
                "log₂ of " + scaling.quantity(),
                unit,
                new Series("", x, y, Series.Mark.LINE_AND_POINTS));
        Files.writeString(plots.resolve("scaling-" + scaling.file() + suffix + ".svg"), SvgChart.file(chart));
    }
}
