package io.github.rlhf4j.ppo.math;

import org.apache.commons.math3.distribution.TDistribution;

/**
 * What an expectation is below, by a sample of it: Student's one-sided confidence bound, mean + t·s/√n with the t of n − 1
 * degrees of freedom and s² of divisor n − 1. Exact where values are independent and normal, and near it where n is large.
 */
public final class UpperBound {

    private UpperBound() {}

    /**
     * The bound, in the unit of the values; +∞ for fewer than two values.
     *
     * @param values independent draws
     * @param level probability that the expectation is above the bound, in (0, 1)
     */
    public static double ofMean(double[] values, double level) {
        int n = values.length;
        if (n < 2) {
            return Double.POSITIVE_INFINITY;
        }
        double mean = 0;
        for (double value : values) {
            mean += value / n;
        }
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        double standardError = Math.sqrt(squares / (n - 1) / n);
        return mean - new TDistribution(null, n - 1).inverseCumulativeProbability(level) * standardError;
    }
}
