package io.github.rlhf4j.cli.report;

import io.github.rlhf4j.cli.report.RunResults.Measurement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The results as a table of plain text. */
public final class ResultsTable {

    private ResultsTable() {}

    /** One line for each measurement: label, value, target, verdict; columns aligned. */
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
        return table.toString();
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
