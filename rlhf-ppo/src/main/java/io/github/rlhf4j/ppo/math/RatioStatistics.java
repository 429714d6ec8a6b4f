package io.github.rlhf4j.ppo.math;

/**
 * How far a policy has moved from the one that sampled, over some tokens; sums, so that micro-batches add up.
 *
 * @param tokens number of tokens
 * @param ratioSum Σ ρ, ρ = π/π_old
 * @param k2Sum Σ ½(log ρ)²
 * @param k3Sum Σ (ρ − 1 − log ρ)
 * @param bindingCount tokens where the clipped term is strictly the larger
 * @param outsideCount tokens with ρ outside the clip range
 * @param largestLogRatio largest |log ρ|
 */
public record RatioStatistics(
        long tokens,
        double ratioSum,
        double k2Sum,
        double k3Sum,
        long bindingCount,
        long outsideCount,
        double largestLogRatio) {

    /** Of no tokens: the neutral element of {@link #plus}. */
    public static final RatioStatistics NONE = new RatioStatistics(0, 0, 0, 0, 0, 0, 0);

    /** The statistics of both token sets together. */
    public RatioStatistics plus(RatioStatistics other) {
        return new RatioStatistics(
                tokens + other.tokens,
                ratioSum + other.ratioSum,
                k2Sum + other.k2Sum,
                k3Sum + other.k3Sum,
                bindingCount + other.bindingCount,
                outsideCount + other.outsideCount,
                Math.max(largestLogRatio, other.largestLogRatio));
    }

    /** Mean ρ; 1 when nothing has moved. */
    public double ratio() {
        return ratioSum / tokens;
    }

    /** ½·mean (log π − log π_old)², nats: the approximate KL of PPO implementations (lm-human-preferences). */
    public double approximateKl() {
        return k2Sum / tokens;
    }

    /** mean (ρ − 1 − log ρ), nats: unbiased for KL(π_old‖π) (Stable-Baselines). */
    public double approximateKlK3() {
        return k3Sum / tokens;
    }

    /** Share of tokens where clipping binds, in [0, 1] (lm-human-preferences). */
    public double clipFraction() {
        return (double) bindingCount / tokens;
    }

    /** Share of tokens with ρ outside the clip range, bound or not, in [0, 1] (Stable-Baselines). */
    public double outsideFraction() {
        return (double) outsideCount / tokens;
    }

    static RatioStatistics ofToken(double logRatio, boolean binding, boolean outside) {
        return new RatioStatistics(
                1,
                Math.exp(logRatio),
                logRatio * logRatio / 2,
                Math.expm1(logRatio) - logRatio,
                binding ? 1 : 0,
                outside ? 1 : 0,
                Math.abs(logRatio));
    }
}
