package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * KL(π‖π_ref) of a policy that has moved since the responses were drawn, estimated on those responses:
 *
 * <pre>{@code
 * mean over sequences of Σ_t ρ_t·(log π(y_t) − log π_ref(y_t)),  ρ_t = π(y_t)/π_old(y_t)
 * }</pre>
 *
 * Each token is weighted by its own ratio, so that the KL at each prefix is unbiased; which prefixes there are is left as it
 * was when π_old drew them. That is the approximation of TRPO (Schulman et al. 2015, §2) and of PPO's loss, good while
 * KL(π_old‖π) is small. Before the policy has moved it is the mean of K1.
 */
public final class ReweightedKl {

    private ReweightedKl() {}

    /**
     * Nats per sequence.
     *
     * @param moved log π of each response token, nats
     * @param sampled log π_old
     * @param reference log π_ref
     */
    public static double of(double[][] moved, double[][] sampled, double[][] reference) {
        return Arrays.stream(perSequence(moved, sampled, reference)).sum() / moved.length;
    }

    /** What the mean is taken over: the weighted sum of each sequence, {@code [B]}, nats; arguments as above. */
    public static double[] perSequence(double[][] moved, double[][] sampled, double[][] reference) {
        double[][] ratios = Ragged.combine(moved, sampled, (now, then) -> Math.exp(now - then));
        double[][] k1 = Ragged.combine(moved, reference, (policy, ref) -> policy - ref);
        return Ragged.rowSums(Ragged.combine(ratios, k1, (ratio, nats) -> ratio * nats));
    }
}
