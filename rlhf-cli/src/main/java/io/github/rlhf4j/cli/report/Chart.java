package io.github.rlhf4j.cli.report;

import java.util.List;

/**
 * A chart of some series over one pair of axes.
 *
 * @param title above the chart
 * @param xLabel what the abscissa is, with its unit
 * @param yLabel what the ordinate is, with its unit
 * @param series drawn in this order
 */
public record Chart(String title, String xLabel, String yLabel, List<Series> series) {

    public Chart {
        series = List.copyOf(series);
    }

    /** A chart of these series. */
    public Chart(String title, String xLabel, String yLabel, Series... series) {
        this(title, xLabel, yLabel, List.of(series));
    }

    /** Whether there is anything to draw. */
    boolean isEmpty() {
        return series.stream().allMatch(s -> {
            for (int i = 0; i < s.x().length; i++) {
                if (s.draws(i)) {
                    return false;
                }
            }
            return true;
        });
    }
}
