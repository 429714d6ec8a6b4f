package io.github.rlhf4j.cli.report;

import java.util.List;

/** A chart of some series over one pair of axes. */
record Chart(String title, String xLabel, String yLabel, List<Series> series) {

    Chart {
        series = List.copyOf(series);
    }

    Chart(String title, String xLabel, String yLabel, Series... series) {
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
