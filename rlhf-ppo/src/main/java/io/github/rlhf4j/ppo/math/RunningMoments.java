package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * Mean and variance of all numbers seen so far, batch by batch (Chan, Golub and LeVeque 1983, "Algorithms for computing the
 * sample variance"): what rewards are scaled by when their scale is to be that of the whole run (Engstrom et al. 2020,
 * "Implementation matters in deep policy gradients", §3; trlx's {@code scale_reward = "running"}).
 *
 * @param count numbers seen
 * @param mean of them; 0 when there were none
 * @param squares Σ (x − mean)²
 */
public record RunningMoments(long count, double mean, double squares) {

    /** Of no numbers. */
    public static final RunningMoments NONE = new RunningMoments(0, 0, 0);

    private static final double EPSILON = 1e-8;

    /** The moments with these numbers as well. */
    public RunningMoments plus(double[] batch) {
        if (batch.length == 0) {
            return this;
        }
        double batchMean = Groups.mean(batch);
        double batchSquares =
                Arrays.stream(batch).map(x -> (x - batchMean) * (x - batchMean)).sum();
        long total = count + batch.length;
        double apart = batchMean - mean;
        return new RunningMoments(
                total,
                mean + apart * batch.length / total,
                squares + batchSquares + apart * apart * count * batch.length / total);
    }

    /** Divisor n; 0 before the first number. */
    public double variance() {
        return count == 0 ? 0 : squares / count;
    }

    /**
     * √(variance + 1e-8), what rewards are divided by; 1 while the variance is below 1e-8, for then all rewards were the same
     * and say nothing of their scale.
     */
    public double scale() {
        return variance() < EPSILON ? 1 : Math.sqrt(variance() + EPSILON);
    }

    /** The rewards divided by {@link #scale()}, the mean kept: signs stay what they were. */
    public double[][] scale(double[][] rewards) {
        double factor = 1 / scale();
        return Ragged.map(rewards, reward -> reward * factor);
    }

    /**
     * As {@link #scale(double[][])}, after the mean was taken off each row, at its last entry: a row of one response's tokens
     * sums to (score − mean)/scale.
     */
    public double[][] standardize(double[][] rewards) {
        double[][] scaled = scale(rewards);
        for (double[] row : scaled) {
            row[row.length - 1] -= mean / scale();
        }
        return scaled;
    }
}
