package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/** The entropy bonus as a loss: −coefficient·H (Schulman et al. 2017, equation 9). */
public final class EntropyBonus {

    private EntropyBonus() {}

    /**
     * The loss of a batch and its derivative with respect to the entropies, which is constant.
     *
     * @param entropies H of each token's distribution, nats
     * @param coefficient ≥ 0
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
     */
    public static TokenLoss evaluate(double[][] entropies, double coefficient, double[] rowWeights) {
        Ragged.requireRowWeights(rowWeights, entropies);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(entropies);
        for (int i = 0; i < entropies.length; i++) {
            loss -= coefficient * rowWeights[i] * Ragged.sum(entropies[i]);
            Arrays.fill(gradient[i], -coefficient * rowWeights[i]);
        }
        return new TokenLoss(loss, gradient);
    }
}
