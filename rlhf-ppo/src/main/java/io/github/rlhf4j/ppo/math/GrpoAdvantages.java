package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * Group relative policy optimisation (Shao et al. 2024, "DeepSeekMath", arXiv 2402.03300, §4.1):
 *
 * <pre>{@code
 * A_i = (r_i − mean r)/(std r + ε)
 * }</pre>
 *
 * <p>Dividing by the standard deviation makes prompts that are almost always or almost never solved count more, and the
 * estimate biased, see {@link DrGrpoAdvantages}. A group of equal rewards has advantages 0.
 *
 * @param deviation divisor of the variance; the paper does not say, TRL, verl and OpenRLHF take {@link Deviation#SAMPLE}
 * @param epsilon ε &gt; 0, beside the standard deviation; TRL 1e-4 (the default), verl 1e-6, OpenRLHF 1e-9
 */
public record GrpoAdvantages(Deviation deviation, double epsilon) implements GroupAdvantages.OfSequences {

    /** What the squared deviations are divided by. */
    public enum Deviation {
        /** n − 1. */
        SAMPLE,
        /** n. */
        POPULATION
    }

    public GrpoAdvantages {
        if (!(epsilon > 0) || Double.isInfinite(epsilon)) {
            throw new IllegalArgumentException("epsilon of GRPO must be > 0 and finite, got " + epsilon
                    + "; it keeps groups of equal rewards from 0/0");
        }
    }

    /** Divisor n − 1, ε = 1e-4. */
    public static GrpoAdvantages defaults() {
        return new GrpoAdvantages(Deviation.SAMPLE, 1e-4);
    }

    @Override
    public double[] ofGroup(double[] rewards) {
        double mean = Groups.mean(rewards);
        double scale = Groups.standardDeviation(rewards, deviation == Deviation.SAMPLE ? 1 : 0) + epsilon;
        return Arrays.stream(rewards).map(reward -> (reward - mean) / scale).toArray();
    }
}
