package io.github.rlhf4j.ppo.math;

/**
 * KL(π‖π_ref) of whole distributions as a term of the loss, where the logits are at hand: no sampling noise, and the gradient
 * that {@link KlEstimator#K2} has on average over tokens of π.
 *
 * <pre>{@code
 * KL = Σ_v p_v·(log p_v − log q_v),  dKL/dlogit_v = p_v·(log p_v − log q_v − KL)
 * }</pre>
 *
 * A function for those who hold logits. The trainers of this library have the same term as {@link KlPenalty.Exact}, which needs no
 * logits here: policies that can compare whole distributions give the KL at each token ({@link
 * io.github.rlhf4j.core.TokenScores#kls}) and take its gradient back to their own logits. Tests hold the two together.
 */
public final class ExactKlPenalty {

    private ExactKlPenalty() {}

    /**
     * The loss of a batch of tokens and its derivative with respect to {@code logits}.
     *
     * @param logits of π, {@code [token][vocabulary]}; any constant may be added to a row
     * @param referenceLogits of π_ref, likewise
     * @param tokenWeights weight of each token, times the coefficient
     */
    public static TokenLoss evaluate(double[][] logits, double[][] referenceLogits, double[] tokenWeights) {
        Ragged.requireSameShape("logits", logits, "referenceLogits", referenceLogits);
        Ragged.requireRowWeights(tokenWeights, logits);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logits);
        for (int i = 0; i < logits.length; i++) {
            double[] logP = logSoftmax(logits[i]);
            double[] logQ = logSoftmax(referenceLogits[i]);
            double kl = 0;
            for (int v = 0; v < logP.length; v++) {
                kl += Math.exp(logP[v]) * (logP[v] - logQ[v]);
            }
            loss += tokenWeights[i] * kl;
            for (int v = 0; v < logP.length; v++) {
                gradient[i][v] = tokenWeights[i] * Math.exp(logP[v]) * (logP[v] - logQ[v] - kl);
            }
        }
        return new TokenLoss(loss, gradient);
    }

    private static double[] logSoftmax(double[] logits) {
        double largest = Double.NEGATIVE_INFINITY;
        for (double logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit - largest);
        }
        double logZ = largest + Math.log(sum);
        double[] logProbs = new double[logits.length];
        for (int v = 0; v < logits.length; v++) {
            logProbs[v] = logits[v] - logZ;
        }
        return logProbs;
    }
}
