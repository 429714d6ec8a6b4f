package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * Negative log-likelihood of given tokens: −log π. Times a coefficient and on pretraining text it is the "ptx" term of
 * InstructGPT (§3.5, equation 2).
 */
public final class LanguageModelLoss {

    private LanguageModelLoss() {}

    /**
     * The loss of a batch and its derivative with respect to the log-probs, which is constant.
     *
     * @param logProbs log π of each token, nats
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}, times the coefficient
     */
    public static TokenLoss evaluate(double[][] logProbs, double[] rowWeights) {
        Ragged.requireRowWeights(rowWeights, logProbs);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logProbs);
        for (int i = 0; i < logProbs.length; i++) {
            loss -= rowWeights[i] * Ragged.sum(logProbs[i]);
            Arrays.fill(gradient[i], -rowWeights[i]);
        }
        return new TokenLoss(loss, gradient);
    }
}
