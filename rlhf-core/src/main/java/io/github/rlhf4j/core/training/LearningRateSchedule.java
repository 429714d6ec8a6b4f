package io.github.rlhf4j.core.training;

/** Learning rate as a function of the step. Closed: the schedules of the papers this library follows. */
public sealed interface LearningRateSchedule {

    /**
     * The rate of a step.
     *
     * @param step 0 for the first step
     */
    double at(long step);

    /** The same rate at each step. */
    record Constant(double rate) implements LearningRateSchedule {

        public Constant {
            checkRate("rate", rate);
        }

        @Override
        public double at(long step) {
            return rate;
        }
    }

    /**
     * Linear warm-up to {@code peak}, then half a cosine down to {@code minimum}, which it keeps (GPT-3, appendix B;
     * nanoGPT's {@code get_lr}).
     *
     * @param warmupSteps steps of warm-up; step {@code s} of them has rate {@code peak·(s + 1)/(warmupSteps + 1)}
     * @param totalSteps the step at which the minimum is reached
     */
    record WarmupCosine(double peak, double minimum, long warmupSteps, long totalSteps)
            implements LearningRateSchedule {

        public WarmupCosine {
            checkRate("peak", peak);
            checkRate("minimum", minimum);
            checkWarmup(warmupSteps, totalSteps);
        }

        @Override
        public double at(long step) {
            if (step < warmupSteps) {
                return peak * (step + 1) / (warmupSteps + 1);
            }
            if (step >= totalSteps) {
                return minimum;
            }
            double progress = (double) (step - warmupSteps) / (totalSteps - warmupSteps);
            return minimum + 0.5 * (1 + Math.cos(Math.PI * progress)) * (peak - minimum);
        }
    }

    /**
     * Linear warm-up to {@code peak}, then linear to 0 at {@code totalSteps} (Ziegler et al. 2019 without the warm-up).
     */
    record WarmupLinear(double peak, long warmupSteps, long totalSteps) implements LearningRateSchedule {

        public WarmupLinear {
            checkRate("peak", peak);
            checkWarmup(warmupSteps, totalSteps);
        }

        @Override
        public double at(long step) {
            if (step < warmupSteps) {
                return peak * (step + 1) / (warmupSteps + 1);
            }
            return step >= totalSteps ? 0 : peak * (totalSteps - step) / (totalSteps - warmupSteps);
        }
    }

    private static void checkRate(String name, double rate) {
        if (!(rate >= 0) || Double.isInfinite(rate)) {
            throw new IllegalArgumentException(
                    name + " of a learning-rate schedule must be ≥ 0 and finite, got " + rate);
        }
    }

    private static void checkWarmup(long warmupSteps, long totalSteps) {
        if (warmupSteps < 0 || totalSteps < warmupSteps) {
            throw new IllegalArgumentException(
                    "a schedule needs 0 ≤ warmupSteps ≤ totalSteps, got " + warmupSteps + " and " + totalSteps);
        }
    }
}
