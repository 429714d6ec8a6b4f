package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * A KL estimate as a term of the loss (as GRPO has it) rather than of the reward. Which divergence its gradient descends
 * depends on the estimator, and for {@link KlEstimator#K1} is none: see there.
 *
 * @param estimator which
 * @param coefficient ≥ 0; 0 is off. K1 may not have another
 */
public record KlPenalty(KlEstimator estimator, double coefficient) {

    public KlPenalty {
        if (!(coefficient >= 0) || Double.isInfinite(coefficient)) {
            throw new IllegalArgumentException(
                    "the coefficient of a KL in the loss must be ≥ 0 and finite (0 is off), got " + coefficient);
        }
        if (estimator == KlEstimator.K1 && coefficient > 0) {
            throw new IllegalArgumentException(
                    "K1 as a term of the loss has an expected gradient of 0 and would only add"
                            + " noise; use K2 for KL(π‖π_ref), K3 for KL(π_ref‖π), or put K1 into the reward (RewardSettings.kl)");
        }
    }

    /** No KL in the loss. */
    public static KlPenalty none() {
        return new KlPenalty(KlEstimator.K3, 0);
    }

    /** Whether there is such a term. */
    public boolean isOn() {
        return coefficient > 0;
    }

    /**
     * {@code coefficient} times the estimate, and its derivative with respect to {@code logProbs}.
     *
     * @param logProbs log π of each token, nats
     * @param referenceLogProbs log π_ref of each token
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
     */
    public TokenLoss evaluate(double[][] logProbs, double[][] referenceLogProbs, double[] rowWeights) {
        double[] weights =
                Arrays.stream(rowWeights).map(weight -> coefficient * weight).toArray();
        return evaluate(estimator, logProbs, referenceLogProbs, weights);
    }

    /**
     * The loss of a batch and its derivative with respect to {@code logProbs}.
     *
     * @param logProbs log π of each token, nats
     * @param referenceLogProbs log π_ref of each token
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}, times the coefficient
     */
    public static TokenLoss evaluate(
            KlEstimator estimator, double[][] logProbs, double[][] referenceLogProbs, double[] rowWeights) {
        Ragged.requireRowWeights(rowWeights, logProbs);
        double[][] kl = estimator.values(logProbs, referenceLogProbs);
        double[][] gradient = Ragged.combine(logProbs, referenceLogProbs, estimator::gradient);
        double loss = 0;
        for (int i = 0; i < kl.length; i++) {
            loss += rowWeights[i] * Ragged.sum(kl[i]);
            for (int t = 0; t < gradient[i].length; t++) {
                gradient[i][t] *= rowWeights[i];
            }
        }
        return new TokenLoss(loss, gradient);
    }
}
