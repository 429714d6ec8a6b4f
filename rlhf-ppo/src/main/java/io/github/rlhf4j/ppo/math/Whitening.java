package io.github.rlhf4j.ppo.math;

/**
 * Whitening over all tokens of a batch: (x − mean) / √(variance + ε), ε = 1e-8 inside the root.
 *
 * <p>Two operations, two methods: {@link #standardize} gives mean 0 and variance 1 (for advantages);
 * {@link #scaleToUnitVariance} gives variance 1 and keeps the mean (for rewards, whose sign means something). The
 * divisor of the variance is n as in lm-human-preferences; the {@code Unbiased} variants divide by n − 1 as TRL and verl
 * do. A batch that does not vary becomes 0, or stays at its mean.
 */
public final class Whitening {

    private static final double EPSILON = 1e-8;

    private Whitening() {}

    /** Mean 0, variance 1, divisor n (lm-human-preferences {@code whiten}). At least one token. */
    public static double[][] standardize(double[][] rows) {
        return whiten(rows, Ragged.requireTokens(rows), 0);
    }

    /** Mean 0, variance 1, divisor n − 1 (TRL and verl {@code masked_whiten}). At least two tokens. */
    public static double[][] standardizeUnbiased(double[][] rows) {
        return whiten(rows, besselDivisor(rows), 0);
    }

    /** Variance 1, mean kept, divisor n (lm-human-preferences {@code whiten(shift_mean=False)}). At least one token. */
    public static double[][] scaleToUnitVariance(double[][] rows) {
        return whiten(rows, Ragged.requireTokens(rows), Ragged.mean(rows));
    }

    /** Variance 1, mean kept, divisor n − 1. At least two tokens. */
    public static double[][] scaleToUnitVarianceUnbiased(double[][] rows) {
        return whiten(rows, besselDivisor(rows), Ragged.mean(rows));
    }

    private static double[][] whiten(double[][] rows, long divisor, double newMean) {
        double mean = Ragged.mean(rows);
        double squares = Ragged.sum(Ragged.map(rows, x -> (x - mean) * (x - mean)));
        double scale = 1 / Math.sqrt(squares / divisor + EPSILON);
        return Ragged.map(rows, x -> (x - mean) * scale + newMean);
    }

    private static long besselDivisor(double[][] rows) {
        long count = Ragged.requireTokens(rows);
        if (count < 2) {
            throw new IllegalArgumentException(
                    "whitening with divisor n − 1 needs at least two tokens, got one; use the divisor n");
        }
        return count - 1;
    }
}
