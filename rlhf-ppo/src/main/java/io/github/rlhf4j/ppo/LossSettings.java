package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;

/**
 * What an update minimises.
 *
 * @param policy the clipped surrogate; default 0.2 both ways, no dual clip (Schulman et al. 2017; InstructGPT, appendix
 *     C.4)
 * @param value the clipped value loss; default 0.2 (lm-human-preferences)
 * @param valueCoefficient default 0.1 (lm-human-preferences). With a separate value function and Adam it only matters
 *     through gradient clipping
 * @param entropyCoefficient default 0 (lm-human-preferences only logs the entropy)
 * @param aggregation what the losses are means over; default the minibatch's tokens
 * @param ptxCoefficient of the language-model loss on pretraining text; default 0, which is off; 27.8 in InstructGPT
 *     (§3.5, appendix C.4)
 * @param ptxSequences pretraining sequences per update, ≥ 1; default 8
 */
public record LossSettings(
        ClippedPolicyLoss policy,
        ClippedValueLoss value,
        double valueCoefficient,
        double entropyCoefficient,
        Aggregation aggregation,
        double ptxCoefficient,
        int ptxSequences) {

    public LossSettings {
        requireCoefficient("valueCoefficient", valueCoefficient);
        requireCoefficient("entropyCoefficient", entropyCoefficient);
        requireCoefficient("ptxCoefficient", ptxCoefficient);
        if (ptxSequences < 1) {
            throw new IllegalArgumentException(
                    "ptxSequences must be at least 1, got " + ptxSequences + "; ptxCoefficient 0 switches ptx off");
        }
    }

    public static LossSettings defaults() {
        return new LossSettings(
                new ClippedPolicyLoss(0.2), new ClippedValueLoss(0.2), 0.1, 0, Aggregation.TOKEN_MEAN, 0, 8);
    }

    public LossSettings withPolicy(ClippedPolicyLoss loss) {
        return new LossSettings(
                loss, value, valueCoefficient, entropyCoefficient, aggregation, ptxCoefficient, ptxSequences);
    }

    public LossSettings withValue(ClippedValueLoss loss, double coefficient) {
        return new LossSettings(
                policy, loss, coefficient, entropyCoefficient, aggregation, ptxCoefficient, ptxSequences);
    }

    public LossSettings withEntropyCoefficient(double coefficient) {
        return new LossSettings(
                policy, value, valueCoefficient, coefficient, aggregation, ptxCoefficient, ptxSequences);
    }

    public LossSettings withAggregation(Aggregation mean) {
        return new LossSettings(
                policy, value, valueCoefficient, entropyCoefficient, mean, ptxCoefficient, ptxSequences);
    }

    public LossSettings withPtx(double coefficient, int sequencesPerUpdate) {
        return new LossSettings(
                policy, value, valueCoefficient, entropyCoefficient, aggregation, coefficient, sequencesPerUpdate);
    }

    private static void requireCoefficient(String name, double value) {
        if (!(value >= 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(name + " must be ≥ 0 and finite (0 is off), got " + value);
        }
    }
}
