package io.github.rlhf4j.cli.report;

import io.github.rlhf4j.cli.report.Series.Mark;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * Algorithms side by side on held-out prompts: at equal KL from the supervised policy and at equal time of training. Between two
 * looks a straight line is drawn; the supervised policy is the start of each, at no KL and no time. Where the KL goes up and
 * down again, what counts is the policy that was last at it.
 *
 * @param points of the run, in the order they were noted
 * @param results of the run, for the start; without them the curves begin at the first look
 */
record AlgorithmComparison(List<HeldOutPoint> points, RunResults results) {

    /** What algorithms are compared by. */
    enum Axis {
        KL("KL", "nats"),
        TIME("time", "s");

        private final String label;
        private final String unit;

        Axis(String label, String unit) {
            this.label = label;
            this.unit = unit;
        }

        String label() {
            return label;
        }

        String unit() {
            return unit;
        }

        double of(HeldOutPoint point) {
            return this == KL ? point.kl() : point.seconds();
        }
    }

    /**
     * What an algorithm came to.
     *
     * @param values of each of {@link #measures()}, at half of what is equal and at the whole, one after the other
     */
    record Row(String algorithm, List<Double> values, HeldOutPoint last) {}

    /** Something that is measured of the answers. */
    record Measure(String label, String ofSupervised, ToDoubleFunction<HeldOutPoint> of) {}

    /** By the hidden taste where there is one, else by the learned reward. */
    List<Measure> measures() {
        return points.stream().allMatch(point -> Double.isFinite(point.share()))
                ? List.of(
                        new Measure("share", "gold/share_sft", HeldOutPoint::share),
                        new Measure("score", "gold/score_sft", HeldOutPoint::taste))
                : List.of(new Measure("learned", "reward/score_sft", HeldOutPoint::learned));
    }

    /** What the measures are, for people. */
    String explanation() {
        return measures().size() > 1
                ? "held-out answers: share that meets the hidden taste, and their mean score by it"
                : "held-out answers: mean learned reward";
    }

    List<String> algorithms() {
        return points.stream().map(HeldOutPoint::algorithm).distinct().toList();
    }

    /** Whether there is anything to compare. */
    boolean isOfSeveral() {
        return algorithms().size() > 1;
    }

    /** The most of it that all algorithms come to. */
    double common(Axis axis) {
        return algorithms().stream()
                .mapToDouble(algorithm -> points.stream()
                        .filter(point -> point.algorithm().equals(algorithm))
                        .mapToDouble(axis::of)
                        .max()
                        .orElse(0))
                .min()
                .orElse(Double.NaN);
    }

    List<Row> rows(Axis axis) {
        double common = common(axis);
        return algorithms().stream()
                .map(algorithm -> {
                    List<Double> values = new ArrayList<>();
                    for (Measure measure : measures()) {
                        List<double[]> curve = curve(algorithm, axis, measure);
                        values.add(at(curve, common / 2));
                        values.add(at(curve, common));
                    }
                    List<HeldOutPoint> own = of(algorithm);
                    return new Row(algorithm, values, own.get(own.size() - 1));
                })
                .toList();
    }

    /** Where the curve is last at {@code x}, on the straight line between two looks; NaN where it never was. */
    private static double at(List<double[]> curve, double x) {
        for (int i = curve.size() - 1; i >= 0; i--) {
            double[] here = curve.get(i);
            double[] before = curve.get(Math.max(0, i - 1));
            if (here[0] == x) {
                return here[1];
            }
            if ((here[0] - x) * (before[0] - x) < 0) {
                return before[1] + (x - before[0]) / (here[0] - before[0]) * (here[1] - before[1]);
            }
        }
        return Double.NaN;
    }

    private List<HeldOutPoint> of(String algorithm) {
        return points.stream()
                .filter(point -> point.algorithm().equals(algorithm))
                .toList();
    }

    /** Pairs of axis and measure. */
    private List<double[]> curve(String algorithm, Axis axis, Measure measure) {
        List<double[]> curve = new ArrayList<>();
        double start = results.value(measure.ofSupervised());
        if (Double.isFinite(start)) {
            curve.add(new double[] {0, start});
        }
        of(algorithm)
                .forEach(point ->
                        curve.add(new double[] {axis.of(point), measure.of().applyAsDouble(point)}));
        return curve;
    }

    Chart chart(Axis axis) {
        Measure measure = measures().get(0);
        List<Series> series = algorithms().stream()
                .map(algorithm -> {
                    List<double[]> curve = curve(algorithm, axis, measure);
                    return new Series(
                            algorithm,
                            curve.stream().mapToDouble(point -> point[0]).toArray(),
                            curve.stream().mapToDouble(point -> point[1]).toArray(),
                            Mark.LINE_AND_POINTS);
                })
                .toList();
        return new Chart(
                "Held-out answers against " + axis.label(),
                axis == Axis.KL ? "KL, nats per sequence" : "seconds of training",
                measures().size() > 1 ? "share that meets the hidden taste" : "mean learned reward",
                series);
    }

    /** Names of the columns of {@link Row#values()}, such as {@code share, 3.2 nats}. */
    List<String> columns(Axis axis) {
        double common = common(axis);
        List<String> columns = new ArrayList<>();
        for (Measure measure : measures()) {
            for (double at : new double[] {common / 2, common}) {
                columns.add(measure.label() + ", " + ResultsTable.number(at) + " " + axis.unit());
            }
        }
        return columns;
    }

    /** Tables as plain text; empty where there is one algorithm. */
    String text() {
        if (!isOfSeveral()) {
            return "";
        }
        StringBuilder text = new StringBuilder("\n" + explanation() + "\n");
        for (Axis axis : Axis.values()) {
            line(text, "at equal " + axis.label(), columns(axis), "last KL", "last s");
            for (Row row : rows(axis)) {
                line(
                        text,
                        row.algorithm(),
                        row.values().stream().map(ResultsTable::number).toList(),
                        ResultsTable.number(row.last().kl()),
                        ResultsTable.number(row.last().seconds()));
            }
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String first, List<String> columns, String kl, String seconds) {
        text.append(String.format(Locale.ROOT, "%-20s", first));
        columns.forEach(column -> text.append(String.format(Locale.ROOT, " %18s", column)));
        text.append(String.format(Locale.ROOT, " %8s %8s%n", kl, seconds));
    }
}
