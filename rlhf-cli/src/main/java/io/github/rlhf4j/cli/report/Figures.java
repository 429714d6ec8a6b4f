package io.github.rlhf4j.cli.report;

import io.github.rlhf4j.cli.report.RunResults.CalibrationBin;
import io.github.rlhf4j.cli.report.RunResults.SelectionPoint;
import io.github.rlhf4j.cli.report.Series.Mark;
import io.github.rlhf4j.core.training.StepReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** The charts of a run, made of what it recorded; a chart without data is left out. */
final class Figures {

    static final String KL = "objective/kl";
    static final String SCORE = "objective/score";
    static final String GOLD = "gold/score";
    static final String GOLD_SHARE = "gold/share";

    private final RunRecords run;
    private final String first;
    private final List<StepReport> ppo;

    Figures(RunRecords run) {
        this.run = run;
        this.first = run.algorithms().stream().findFirst().orElse("ppo");
        this.ppo = run.stage(first);
    }

    List<Chart> all() {
        List<Chart> charts = new ArrayList<>(losses());
        charts.add(overSteps("Reward over " + title() + " steps", "mean score per answer", SCORE));
        charts.add(overSteps("KL to the supervised model over " + title() + " steps", "nats per sequence", KL));
        charts.add(
                overSteps("Hidden taste over " + title() + " steps (training words)", "share of answers", GOLD_SHARE));
        charts.add(rewardAgainstKl());
        charts.add(goldAgainstLearned());
        charts.add(calibration());
        charts.add(goldAtEqualKl());
        for (AlgorithmComparison.Axis axis : AlgorithmComparison.Axis.values()) {
            charts.add(run.comparison().chart(axis));
        }
        return charts.stream().filter(chart -> !chart.isEmpty()).toList();
    }

    private String title() {
        return first.toUpperCase(Locale.ROOT);
    }

    /** One chart for each stage that has a loss. */
    private List<Chart> losses() {
        List<Chart> charts = new ArrayList<>();
        for (String stage : run.stages()) {
            List<StepReport> steps = run.stage(stage);
            steps.get(0).metrics().keySet().stream()
                    .filter(path -> path.equals("loss") || path.endsWith("/loss"))
                    .findFirst()
                    .ifPresent(path -> charts.add(lossChart(stage, steps, path)));
        }
        return charts;
    }

    private static Chart lossChart(String stage, List<StepReport> steps, String path) {
        String validation = path.replace("loss", "validation_loss");
        List<StepReport> validated = steps.stream()
                .filter(step -> step.metrics().containsKey(validation))
                .toList();
        Series loss = series("each step", steps, path, Mark.FAINT_LINE);
        List<Series> series = new ArrayList<>(List.of(loss, loss.smoothed("moving average")));
        if (!validated.isEmpty()) {
            series.add(series("validation", validated, validation, Mark.LINE_AND_POINTS));
        }
        return new Chart("Loss of " + stage, "step", "nats", series);
    }

    private Chart overSteps(String title, String label, String path) {
        Series each = series("each step", ppo, path, Mark.FAINT_LINE);
        return new Chart(title, "step", label, each, each.smoothed("moving average"));
    }

    private Chart rewardAgainstKl() {
        Series path = new Series(
                title() + " (training words)", of(ppo, s -> root(value(s, KL))), of(ppo, SCORE), Mark.POINTS);
        List<SelectionPoint> points = run.results().bestOf();
        Series selected = new Series(
                "SFT, best of n, optimised (held-out words)",
                points.stream().mapToDouble(p -> root(p.kl())).toArray(),
                points.stream().mapToDouble(SelectionPoint::learned).toArray(),
                Mark.POINTS);
        return new Chart("Learned reward against \u221AKL", "\u221AKL, \u221Anats", "mean score", path, selected);
    }

    private Chart goldAgainstLearned() {
        double[] learned = run.samples().stream()
                .flatMapToDouble(s -> java.util.stream.DoubleStream.of(s.rewardBefore(), s.rewardAfter()))
                .toArray();
        double[] gold = run.samples().stream()
                .flatMapToDouble(s -> java.util.stream.DoubleStream.of(s.goldBefore(), s.goldAfter()))
                .toArray();
        Series samples = new Series("answers to held-out words", learned, gold, Mark.POINTS);
        Series steps = new Series("mean of each " + title() + " step", of(ppo, SCORE), of(ppo, GOLD), Mark.POINTS);
        return new Chart("Gold against learned reward", "learned reward", "gold score", samples, steps);
    }

    private Chart calibration() {
        List<CalibrationBin> bins = run.results().calibration();
        double[] predicted =
                bins.stream().mapToDouble(CalibrationBin::predicted).toArray();
        double[] observed = bins.stream().mapToDouble(CalibrationBin::observed).toArray();
        double start = bins.isEmpty() ? Double.NaN : 0;
        return new Chart(
                "Calibration of the reward model",
                "predicted probability of winning",
                "share that won",
                new Series("unseen comparisons", predicted, observed, Mark.LINE_AND_POINTS),
                new Series("perfect", new double[] {start, 1}, new double[] {start, 1}, Mark.DASHED_LINE));
    }

    private Chart goldAtEqualKl() {
        List<Series> series = new ArrayList<>();
        series.add(new Series(
                title() + " over its steps (training words)",
                of(ppo, s -> value(s, KL)),
                of(ppo, GOLD_SHARE),
                Mark.POINTS));
        for (SelectionPoint point : run.results().bestOf()) {
            series.add(new Series(point.name(), new double[] {point.kl()}, new double[] {point.gold()}, Mark.POINTS));
        }
        return new Chart("Hidden taste met, at equal KL", "KL, nats per sequence", "share of answers", series);
    }

    private static Series series(String name, List<StepReport> steps, String path, Mark mark) {
        return new Series(name, of(steps, StepReport::step), of(steps, path), mark);
    }

    private static double[] of(List<StepReport> steps, String path) {
        return of(steps, step -> value(step, path));
    }

    private static double[] of(List<StepReport> steps, ToDoubleFunction<StepReport> number) {
        return steps.stream().mapToDouble(number).toArray();
    }

    private static double value(StepReport step, String path) {
        return step.metrics().getOrDefault(path, Double.NaN);
    }

    private static double root(double kl) {
        return Math.sqrt(Math.max(0, kl));
    }
}
