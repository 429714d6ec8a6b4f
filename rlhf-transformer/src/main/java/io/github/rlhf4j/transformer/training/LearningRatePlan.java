package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.training.LearningRateSchedule;

/**
 * Warm-up and cosine decay as shares of a run, for runs whose number of steps follows from the data.
 *
 * @param peak the highest rate, ≥ 0
 * @param finalFraction share of the peak the cosine ends at, in [0, 1]; 1 keeps the rate constant
 * @param warmupFraction share of the steps that warm up linearly, in [0, 1]
 */
public record LearningRatePlan(double peak, double finalFraction, double warmupFraction) {

    public LearningRatePlan {
        Settings.require(peak >= 0 && Double.isFinite(peak), "peak learning rate must be ≥ 0 and finite", peak);
        Settings.require(finalFraction >= 0 && finalFraction <= 1, "finalFraction must lie in [0, 1]", finalFraction);
        Settings.require(
                warmupFraction >= 0 && warmupFraction <= 1, "warmupFraction must lie in [0, 1]", warmupFraction);
    }

    /** The same rate at each step. */
    public static LearningRatePlan constant(double rate) {
        return new LearningRatePlan(rate, 1, 0);
    }

    /** The schedule of a run of this many steps. */
    public LearningRateSchedule over(long totalSteps) {
        long warmup = Math.round(warmupFraction * totalSteps);
        return new LearningRateSchedule.WarmupCosine(peak, peak * finalFraction, warmup, totalSteps);
    }
}
