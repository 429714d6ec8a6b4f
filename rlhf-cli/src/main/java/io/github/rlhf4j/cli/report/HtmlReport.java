package io.github.rlhf4j.cli.report;

import io.github.rlhf4j.cli.report.RunResults.Measurement;
import io.github.rlhf4j.cli.report.RunResults.SelectionPoint;
import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A run as one HTML file that loads nothing: results, charts as inline SVG, samples side by side, configuration. */
public final class HtmlReport {

    /** The report's name in the run's directory. */
    public static final String FILE_NAME = "report.html";

    private static final int MOST_SAMPLES = 40;
    private static final String STYLE = """
            :root { color-scheme: light dark; }
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 1120px; margin: 2em auto; padding: 0 1em; }
            table { border-collapse: collapse; width: 100%; }
            th, td { text-align: left; vertical-align: top; padding: .35em .7em; border-bottom: 1px solid #8884; }
            td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
            .pass { color: #009e73; font-weight: 600; } .miss { color: #d55e00; font-weight: 600; }
            .met { border-left: 3px solid #009e73; }
            .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1em; }
            svg { width: 100%; height: auto; } svg text { fill: currentColor; font-family: system-ui, sans-serif; }
            svg .title { font-size: 15px; font-weight: 600; } svg .axis { font-size: 12px; }
            svg .tick { font-size: 11px; } svg .grid { stroke: #8883; }
            pre { overflow-x: auto; background: #8881; padding: 1em; } small { opacity: .7; }
            """;

    private final RunRecords run;
    private final StringBuilder html = new StringBuilder();

    private HtmlReport(RunRecords run) {
        this.run = run;
    }

    /** The report as text. */
    public static String of(RunRecords run) {
        return new HtmlReport(run).build();
    }

    /** Writes {@value #FILE_NAME} into a run's directory from what the run left there, and returns its path. */
    public static Path write(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        DurableFiles.replace(file, of(RunRecords.read(directory)).getBytes(StandardCharsets.UTF_8));
        return file;
    }

    private String build() {
        html.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
                .append("<meta name=\"viewport\" content=\"width=device-width\"><title>rlhf4j run</title>\n<style>\n")
                .append(STYLE)
                .append("</style></head><body>\n<h1>rlhf4j run</h1>\n");
        results();
        bestOf();
        algorithms();
        charts();
        samples();
        times();
        html.append("<h2>Configuration</h2>\n<pre>")
                .append(Html.escape(run.config()))
                .append("</pre>\n</body></html>\n");
        return html.toString();
    }

    private void results() {
        html.append("<h2>Results</h2>\n");
        if (run.results().measurements().isEmpty()) {
            html.append("<p>This run has not been evaluated yet.</p>\n");
            return;
        }
        html.append("<table><tr><th>result</th><th>value</th><th>target</th><th></th></tr>\n");
        for (Measurement m : run.results().measurements()) {
            html.append("<tr><td>").append(Html.escape(m.label())).append(" <small>");
            html.append(Html.escape(m.path())).append("</small></td>");
            number(m.value());
            html.append("<td>").append(ResultsTable.target(m)).append("</td><td class=\"");
            html.append(m.verdict()).append("\">").append(m.verdict()).append("</td></tr>\n");
        }
        html.append("</table>\n");
        for (String warning : run.results().warnings()) {
            html.append("<p class=\"miss\">warning: ")
                    .append(Html.escape(warning))
                    .append("</p>\n");
        }
    }

    private void bestOf() {
        if (run.results().bestOf().isEmpty()) {
            return;
        }
        html.append("<h2>Ways to answer, side by side</h2>\n<table><tr><th>answers of</th><th>KL from the supervised")
                .append(" model, nats per sequence (best of n: its upper bound log n \u2212 (n \u2212 1)/n)</th>")
                .append("<th>hidden taste met</th><th>learned reward</th></tr>\n");
        for (SelectionPoint point : run.results().bestOf()) {
            html.append("<tr><td>").append(Html.escape(point.name())).append("</td>");
            number(point.kl());
            number(point.gold());
            number(point.learned());
            html.append("</tr>\n");
        }
        html.append("</table>\n");
    }

    private void algorithms() {
        AlgorithmComparison comparison = run.comparison();
        if (!comparison.isOfSeveral()) {
            return;
        }
        html.append("<h2>Algorithms, side by side</h2>\n<p>")
                .append(Html.escape(comparison.explanation()))
                .append(
                        "; at half of and at the KL and the time that all of them come to, on straight lines between looks"
                                + " at a tenth of the steps each</p>\n");
        for (AlgorithmComparison.Axis axis : AlgorithmComparison.Axis.values()) {
            compared(comparison, axis);
        }
    }

    private void compared(AlgorithmComparison comparison, AlgorithmComparison.Axis axis) {
        html.append("<table><tr><th>at equal ").append(axis.label()).append("</th>");
        comparison
                .columns(axis)
                .forEach(column -> html.append("<th>").append(column).append("</th>"));
        html.append("<th>KL at its end</th><th>seconds at its end</th></tr>\n");
        for (AlgorithmComparison.Row row : comparison.rows(axis)) {
            html.append("<tr><td>").append(Html.escape(row.algorithm())).append("</td>");
            row.values().forEach(this::number);
            number(row.last().kl());
            number(row.last().seconds());
            html.append("</tr>\n");
        }
        html.append("</table>\n");
    }

    private void charts() {
        html.append("<h2>Charts</h2>\n<div class=\"charts\">\n");
        for (Chart chart : new Figures(run).all()) {
            html.append("<figure>").append(SvgChart.draw(chart)).append("</figure>\n");
        }
        html.append("</div>\n");
    }

    private void samples() {
        if (run.samples().isEmpty()) {
            return;
        }
        html.append("<h2>Before and after</h2>\n<table><tr><th>prompt</th><th>supervised model</th><th>after PPO</th>")
                .append("</tr>\n");
        List<Sample> shown =
                run.samples().subList(0, Math.min(MOST_SAMPLES, run.samples().size()));
        for (Sample sample : shown) {
            html.append("<tr><td>").append(Html.escape(sample.prompt())).append("</td>");
            answer(sample.before(), sample.rewardBefore(), sample.goldBefore());
            answer(sample.after(), sample.rewardAfter(), sample.goldAfter());
            html.append("</tr>\n");
        }
        html.append("</table>\n");
    }

    private void answer(String text, double reward, double gold) {
        html.append(gold == 1 ? "<td class=\"met\">" : "<td>").append(Html.escape(text));
        html.append(String.format(Locale.ROOT, "<br><small>learned reward %.2f", reward));
        html.append(Double.isNaN(gold) ? "" : String.format(Locale.ROOT, ", gold %.2f", gold));
        html.append("</small></td>");
    }

    private void times() {
        if (run.seconds().isEmpty()) {
            return;
        }
        html.append("<h2>Wall time</h2>\n<table>");
        run.seconds().forEach((stage, seconds) -> {
            html.append("<tr><td>").append(Html.escape(stage)).append("</td>");
            html.append(String.format(Locale.ROOT, "<td class=\"number\">%.1f s</td></tr>\n", seconds));
        });
        html.append("</table>\n");
    }

    private void number(double value) {
        html.append("<td class=\"number\">").append(ResultsTable.number(value)).append("</td>");
    }
}
