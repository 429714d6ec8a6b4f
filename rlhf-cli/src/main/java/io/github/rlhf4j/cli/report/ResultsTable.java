package io.github.rlhf4j.cli.report;

import io.github.rlhf4j.cli.report.RunResults.Measurement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The results as a table of plain text. */
public final class ResultsTable {

    private ResultsTable() {}

    /** One line for each measurement: label, value, target, verdict; columns aligned. Then one for each warning. */
    public static String of(RunResults results) {
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"result", "value", "target", ""});
        for (Measurement m : results.measurements()) {
            rows.add(new String[] {m.label(), number(m.value()), target(m), m.verdict()});
        }
        int[] widths = new int[4];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (String[] row : rows) {
            String line = String.format(
                    Locale.ROOT, "%-" + widths[0] + "s  %" + widths[1] + "s  %-" + widths[2] + "s  %s", (Object[]) row);
            table.append(line.stripTrailing()).append('\n');
        }
        results.warnings()
                .forEach(warning -> table.append("warning: ").append(warning).append('\n'));
        return table.toString();
    }

    /** The table, or how far the run is, and how the KL went while PPO ran, where it did. */
    public static String of(RunRecords run) {
        double[] kl = run.stage("ppo").stream()
                .map(step -> step.metrics().get(Figures.KL))
                .filter(Objects::nonNull)
                .mapToDouble(Double::doubleValue)
                .toArray();
        return (run.results().measurements().isEmpty() ? progress(run) : of(run.results()))
                + (kl.length == 0 ? "" : trajectory(kl))
                + run.comparison().text();
    }

    private static String progress(RunRecords run) {
        String stages = run.stages().stream()
                .map(run::stage)
                .map(steps -> steps.get(steps.size() - 1))
                .map(last -> "; " + last.stage() + " did " + last.step() + " of " + last.totalSteps() + " steps")
                .collect(Collectors.joining());
        return "This run has not been evaluated yet" + stages + ".\n";
    }

    /** Means of ten parts as equal as can be; of fewer rollouts each is a part. */
    private static String trajectory(double[] kl) {
        int parts = Math.min(10, kl.length);
        String means = IntStream.range(0, parts)
                .mapToObj(part -> number(mean(kl, part * kl.length / parts, (part + 1) * kl.length / parts)))
                .collect(Collectors.joining(", "));
        return "KL over PPO's rollouts, in tenths: " + means + "; mean " + number(mean(kl, 0, kl.length))
                + " nats per sequence\n";
    }

    private static double mean(double[] numbers, int from, int to) {
        return Arrays.stream(numbers, from, to).average().orElse(Double.NaN);
    }

    static String target(Measurement m) {
        return m.atLeast() == null ? "" : "at least " + number(m.atLeast());
    }

    /** Four significant digits or so: 0.8125, 12.3, 1234. */
    static String number(double value) {
        double size = Math.abs(value);
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "not measured" : String.valueOf(value);
        }
        return String.format(Locale.ROOT, size >= 1000 ? "%.0f" : size >= 10 ? "%.1f" : "%.3f", value);
    }
}
