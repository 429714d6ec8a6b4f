package io.github.rlhf4j.ppo.math;

/**
 * A KL estimate as a term of the loss (as GRPO has it) rather than of the reward. Which divergence its gradient descends
 * depends on the estimator, and for {@link KlEstimator#K1} is none: see there.
 */
public final class KlPenalty {

    private KlPenalty() {}

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
