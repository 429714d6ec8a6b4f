package io.github.rlhf4j.ppo.math;

/** How two numbers of the same things go together. */
public final class Correlation {

    private Correlation() {}

    /**
     * Pearson's, in [−1, 1]; 0 where one of the two does not vary. Of score and length: near 1, length is what is paid.
     *
     * @param x at least one
     * @param y as many
     */
    public static double of(double[] x, double[] y) {
        if (x.length != y.length || x.length == 0) {
            throw new IllegalArgumentException(
                    "a correlation is of as many x as y, at least one, got " + x.length + " and " + y.length);
        }
        double meanX = Groups.mean(x);
        double meanY = Groups.mean(y);
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (int i = 0; i < x.length; i++) {
            xx += (x[i] - meanX) * (x[i] - meanX);
            yy += (y[i] - meanY) * (y[i] - meanY);
            xy += (x[i] - meanX) * (y[i] - meanY);
        }
        return Groups.allEqual(x) || Groups.allEqual(y) ? 0 : xy / Math.sqrt(xx * yy);
    }
}
