package io.github.rlhf4j.cli.report;

/**
 * One curve or cloud of a chart.
 *
 * @param name shown in the legend
 * @param x abscissae
 * @param y ordinates, as many; a point with a number that is not finite is left out
 * @param mark how it is drawn
 */
public record Series(String name, double[] x, double[] y, Mark mark) {

    /** How a series is drawn. */
    public enum Mark {
        LINE,
        FAINT_LINE,
        DASHED_LINE,
        POINTS,
        LINE_AND_POINTS
    }

    public Series {
        if (x.length != y.length) {
            throw new IllegalArgumentException(
                    "series " + name + " has " + x.length + " abscissae and " + y.length + " ordinates");
        }
    }

    boolean draws(int i) {
        return Double.isFinite(x[i]) && Double.isFinite(y[i]);
    }

    /** The centred moving average over about a thirtieth of the points, to see a trend in a noisy curve. */
    Series smoothed(String newName) {
        int half = Math.max(1, y.length / 60);
        double[] smooth = new double[y.length];
        for (int i = 0; i < y.length; i++) {
            int from = Math.max(0, i - half);
            int to = Math.min(y.length, i + half + 1);
            double sum = 0;
            for (int j = from; j < to; j++) {
                sum += y[j];
            }
            smooth[i] = sum / (to - from);
        }
        return new Series(newName, x, smooth, Mark.LINE);
    }
}
