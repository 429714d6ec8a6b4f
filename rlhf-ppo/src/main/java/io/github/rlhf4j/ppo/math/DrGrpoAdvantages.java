package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * GRPO done right (Liu et al. 2025, "Understanding R1-Zero-like training", arXiv 2503.20783): no standard deviation:
 *
 * <pre>{@code
 * A_i = r_i − mean r
 * }</pre>
 *
 * which is RLOO's times (n − 1)/n, and so unbiased up to that factor. The paper's other half is {@link
 * Aggregation#CONSTANT_LENGTH}.
 */
public record DrGrpoAdvantages() implements GroupAdvantages.OfSequences {

    @Override
    public double[] ofGroup(double[] rewards) {
        double mean = Groups.mean(rewards);
        return Arrays.stream(rewards).map(reward -> reward - mean).toArray();
    }
}
