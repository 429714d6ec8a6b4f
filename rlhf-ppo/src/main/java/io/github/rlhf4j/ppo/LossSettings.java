package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;

/**
 * What an update minimises.
 *
 * @param policy the clipped surrogate; default 0.2 both ways, no dual clip (Schulman et al. 2017; InstructGPT, appendix
 *     C.4)
 * @param value the clipped value loss; default 0.2 (lm-human-preferences)
 * @param valueCoefficient default 0.1 (lm-human-preferences). With a separate value function and Adam it only matters
 *     through gradient clipping
 * @param entropyCoefficient default 0 (lm-human-preferences only logs the entropy)
 * @param kl the KL to the reference as a term of the loss, beside the one in the reward ({@link RewardSettings#kl}) or, where
 *     that has a coefficient of 0, in place of it; default none. Which divergence its gradient lowers {@link KlPenalty} says
 * @param aggregation what the losses are means over; default the minibatch's tokens
 * @param ptxCoefficient of the language-model loss on pretraining text; default 0, which is off; 27.8 in InstructGPT
 *     (§3.5, appendix C.4)
 * @param ptxSequences pretraining sequences per update, ≥ 1; default 8
 * @param valueWarmup the first so many iterations minimise the value loss only; default 0. Rollouts, scores and metrics are as
 *     ever, while policy, its optimiser and the KL coefficient stay as they are to the bit and the learning rates' schedules
 *     go on. Needs {@link Critic#separate}: on the policy's trunk the value loss would move the policy. It is for a value
 *     function that starts from nothing, whose first advantages are noise; one that starts from the reward model has less
 *     need of it
 */
public record LossSettings(
        ClippedPolicyLoss policy,
        ClippedValueLoss value,
        double valueCoefficient,
        double entropyCoefficient,
        KlPenalty kl,
        Aggregation aggregation,
        double ptxCoefficient,
        int ptxSequences,
        int valueWarmup) {

    public LossSettings {
        requireCoefficient("valueCoefficient", valueCoefficient);
        requireCoefficient("entropyCoefficient", entropyCoefficient);
        requireCoefficient("ptxCoefficient", ptxCoefficient);
        if (ptxSequences < 1) {
            throw new IllegalArgumentException(
                    "ptxSequences must be at least 1, got " + ptxSequences + "; ptxCoefficient 0 switches ptx off");
        }
        if (valueWarmup < 0) {
            throw new IllegalArgumentException("valueWarmup must be ≥ 0 iterations (0 is off), got " + valueWarmup);
        }
    }

    public static LossSettings defaults() {
        return new LossSettings(
                new ClippedPolicyLoss(0.2),
                new ClippedValueLoss(0.2),
                0.1,
                0,
                KlPenalty.none(),
                Aggregation.TOKEN_MEAN,
                0,
                8,
                0);
    }

    public LossSettings withPolicy(ClippedPolicyLoss loss) {
        return new LossSettings(
                loss,
                value,
                valueCoefficient,
                entropyCoefficient,
                kl,
                aggregation,
                ptxCoefficient,
                ptxSequences,
                valueWarmup);
    }

    public LossSettings withValue(ClippedValueLoss loss, double coefficient) {
        return new LossSettings(
                policy,
                loss,
                coefficient,
                entropyCoefficient,
                kl,
                aggregation,
                ptxCoefficient,
                ptxSequences,
                valueWarmup);
    }

    public LossSettings withEntropyCoefficient(double coefficient) {
        return new LossSettings(
                policy,
                value,
                valueCoefficient,
                coefficient,
                kl,
                aggregation,
                ptxCoefficient,
                ptxSequences,
                valueWarmup);
    }

    /** With an estimate of the KL from the tokens that were drawn. */
    public LossSettings withKl(KlEstimator estimator, double klCoefficient) {
        return withKl(new KlPenalty.Estimated(estimator, klCoefficient));
    }

    /** With a KL in the loss, {@link KlPenalty.Exact} for that of whole distributions. */
    public LossSettings withKl(KlPenalty penalty) {
        return new LossSettings(
                policy,
                value,
                valueCoefficient,
                entropyCoefficient,
                penalty,
                aggregation,
                ptxCoefficient,
                ptxSequences,
                valueWarmup);
    }

    public LossSettings withAggregation(Aggregation mean) {
        return new LossSettings(
                policy,
                value,
                valueCoefficient,
                entropyCoefficient,
                kl,
                mean,
                ptxCoefficient,
                ptxSequences,
                valueWarmup);
    }

    public LossSettings withPtx(double coefficient, int sequencesPerUpdate) {
        return new LossSettings(
                policy,
                value,
                valueCoefficient,
                entropyCoefficient,
                kl,
                aggregation,
                coefficient,
                sequencesPerUpdate,
                valueWarmup);
    }

    public LossSettings withValueWarmup(int iterations) {
        return new LossSettings(
                policy,
                value,
                valueCoefficient,
                entropyCoefficient,
                kl,
                aggregation,
                ptxCoefficient,
                ptxSequences,
                iterations);
    }

    /** Whether an iteration, of which 0 is the first, leaves the policy as it is. */
    boolean warmsUp(long iteration) {
        return iteration < valueWarmup;
    }

    private static void requireCoefficient(String name, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be ≥ 0 and finite (0 is off), got " + value);
        }
    }
}
