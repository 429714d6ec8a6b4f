package io.github.rlhf4j.cli.report;

import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.DoubleStream;

/**
 * Draws a {@link Chart} as SVG.
 *
 * <p>Written out here rather than by a plotting library, because those of the JVM draw through AWT: they need fonts on the
 * machine, which servers and containers lack, and turn each letter into outlines (80 kB for an empty chart).
 */
public final class SvgChart {

    private static final int WIDTH = 520;
    private static final int HEIGHT = 320;
    private static final int LEFT = 62;
    private static final int RIGHT = 14;
    private static final int TOP = 34;
    private static final int BOTTOM = 64;
    /** Okabe and Ito's colours, which people of any colour vision tell apart. */
    private static final List<String> COLOURS =
            List.of("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00");

    private static final String STYLE = """
            <style>
            svg { background: #fff; font-family: sans-serif; }
            .title { font-size: 15px; font-weight: 600; } .axis { font-size: 12px; } .tick { font-size: 11px; }
            .grid { stroke: #8883; }
            </style>
            """;

    private final Chart chart;
    private final Axis x;
    private final Axis y;
    private final StringBuilder svg = new StringBuilder();

    private SvgChart(Chart chart) {
        this.chart = chart;
        this.x = Axis.over(all(Series::x), LEFT, WIDTH - RIGHT);
        this.y = Axis.over(all(Series::y), HEIGHT - BOTTOM, TOP);
    }

    /** The chart as an SVG file of its own, dark on white. */
    public static String file(Chart chart) {
        String element = "<svg xmlns=\"http://www.w3.org/2000/svg\" ";
        return draw(chart).replaceFirst("<svg ", element).replaceFirst("(<title>)", STYLE + "$1");
    }

    /** The chart as an {@code <svg>} element, styled by the page it stands in. */
    static String draw(Chart chart) {
        return new SvgChart(chart).draw();
    }

    private DoubleStream all(Function<Series, double[]> coordinate) {
        return chart.series().stream().flatMapToDouble(s -> DoubleStream.of(coordinate.apply(s)));
    }

    private String draw() {
        add("<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", WIDTH, HEIGHT, Html.escape(chart.title()));
        add("<title>%s</title>", Html.escape(chart.title()));
        text("title", WIDTH / 2.0, 18, "middle", chart.title());
        drawGrid();
        for (int i = 0; i < chart.series().size(); i++) {
            drawSeries(chart.series().get(i), COLOURS.get(i % COLOURS.size()));
        }
        drawLegend();
        return svg.append("</svg>").toString();
    }

    private void drawGrid() {
        for (double tick : x.ticks()) {
            double at = x.pixel(tick);
            add("<line class=\"grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>", at, TOP, at, HEIGHT - BOTTOM);
            text("tick", at, HEIGHT - BOTTOM + 15, "middle", Axis.label(tick));
        }
        for (double tick : y.ticks()) {
            double at = y.pixel(tick);
            add("<line class=\"grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>", LEFT, at, WIDTH - RIGHT, at);
            text("tick", LEFT - 6, at + 4, "end", Axis.label(tick));
        }
        text("axis", (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - BOTTOM + 32, "middle", chart.xLabel());
        double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
        add("<g transform=\"rotate(-90 14 %.1f)\">", middle);
        text("axis", 14, middle, "middle", chart.yLabel());
        add("</g>");
    }

    private void drawSeries(Series series, String colour) {
        switch (series.mark()) {
            case LINE -> drawLine(series, colour, "stroke-width=\"2\"");
            case FAINT_LINE -> drawLine(series, colour, "stroke-width=\"1\" opacity=\"0.35\"");
            case DASHED_LINE -> drawLine(series, colour, "stroke-width=\"1.5\" stroke-dasharray=\"5 4\"");
            case POINTS -> drawPoints(series, colour);
            case LINE_AND_POINTS -> {
                drawLine(series, colour, "stroke-width=\"1.5\"");
                drawPoints(series, colour);
            }
        }
    }

    private void drawLine(Series series, String colour, String style) {
        StringBuilder points = new StringBuilder();
        for (int i = 0; i < series.x().length; i++) {
            if (series.draws(i)) {
                points.append(String.format(Locale.ROOT, "%.1f,%.1f ", x.pixel(series.x()[i]), y.pixel(series.y()[i])));
            }
        }
        add(
                "<polyline fill=\"none\" stroke=\"%s\" %s points=\"%s\"/>",
                colour, style, points.toString().strip());
    }

    private void drawPoints(Series series, String colour) {
        for (int i = 0; i < series.x().length; i++) {
            if (series.draws(i)) {
                add(
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.2\" fill=\"%s\" opacity=\"0.75\"><title>%s: %s, %s</title></circle>",
                        x.pixel(series.x()[i]),
                        y.pixel(series.y()[i]),
                        colour,
                        Html.escape(series.name()),
                        Axis.label(series.x()[i]),
                        Axis.label(series.y()[i]));
            }
        }
    }

    private void drawLegend() {
        double at = LEFT;
        for (int i = 0; i < chart.series().size(); i++) {
            String name = chart.series().get(i).name();
            if (name.isEmpty()) {
                continue;
            }
            add(
                    "<rect x=\"%.1f\" y=\"%d\" width=\"10\" height=\"10\" fill=\"%s\"/>",
                    at, HEIGHT - 20, COLOURS.get(i % COLOURS.size()));
            text("tick", at + 14, HEIGHT - 11, "start", name);
            at += 26 + 6.2 * name.length();
        }
    }

    private void text(String kind, double atX, double atY, String anchor, String text) {
        add(
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>",
                kind, atX, atY, anchor, Html.escape(text));
    }

    private void add(String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
