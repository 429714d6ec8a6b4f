package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.RolloutCorrection;
import io.github.rlhf4j.ppo.math.Whitening;

/**
 * How rewards become advantages.
 *
 * @param gamma discount γ; default 1 (InstructGPT, appendix C.4)
 * @param lambda GAE's λ; default 0.95 (lm-human-preferences; Schulman et al. 2016)
 * @param whiten standardises the advantages over all tokens of the rollout; default true (lm-human-preferences)
 * @param divisor of the variance that whitening brings to 1; default n (lm-human-preferences)
 * @param correction for rollouts that a policy other than the trained one drew, older or of coarser numbers: weights that
 *     advantages are multiplied by, after whitening; default none. With one, the trained policy scores each rollout once more
 *     before its updates, and ratios and KL are those of its own scores. The value function's targets are not weighted: it
 *     learns the returns of what was sampled
 */
public record AdvantageSettings(
        double gamma, double lambda, boolean whiten, Divisor divisor, RolloutCorrection correction) {

    /** What squared deviations are divided by. */
    public enum Divisor {
        /** n, the number of tokens (lm-human-preferences, OpenRLHF). */
        N,
        /** n − 1 (TRL, verl). */
        N_MINUS_1
    }

    public AdvantageSettings {
        requireUnit("gamma", gamma);
        requireUnit("lambda", lambda);
    }

    /** With divisor n and no correction. */
    public AdvantageSettings(double gamma, double lambda, boolean whiten) {
        this(gamma, lambda, whiten, Divisor.N, new RolloutCorrection.None());
    }

    public static AdvantageSettings defaults() {
        return new AdvantageSettings(1, 0.95, true);
    }

    /** The advantages as these settings whiten them, or as they are. */
    public double[][] whitened(double[][] advantages) {
        if (!whiten) {
            return advantages;
        }
        return switch (divisor) {
            case N -> Whitening.standardize(advantages);
            case N_MINUS_1 -> Whitening.standardizeUnbiased(advantages);
        };
    }

    public AdvantageSettings withGamma(double discount) {
        return new AdvantageSettings(discount, lambda, whiten, divisor, correction);
    }

    public AdvantageSettings withLambda(double newLambda) {
        return new AdvantageSettings(gamma, newLambda, whiten, divisor, correction);
    }

    public AdvantageSettings withWhiten(boolean on) {
        return new AdvantageSettings(gamma, lambda, on, divisor, correction);
    }

    public AdvantageSettings withDivisor(Divisor newDivisor) {
        return new AdvantageSettings(gamma, lambda, whiten, newDivisor, correction);
    }

    public AdvantageSettings withCorrection(RolloutCorrection weights) {
        return new AdvantageSettings(gamma, lambda, whiten, divisor, weights);
    }

    private static void requireUnit(String name, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(name + " must lie in [0, 1], got " + value);
        }
    }
}
