package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * A KL to the reference as a term of the loss (as GRPO has it) rather than of the reward: estimated from the tokens that were
 * drawn, or exact where the policy can compare whole distributions.
 *
 * <p>Either is a sum over the states that the old policy came to. Its gradient has not in it that a token leads to states where the KL
 * is larger or smaller; K1 in the reward has. For responses of one token there are no later states.
 */
public sealed interface KlPenalty {

    /** ≥ 0; 0 is off. */
    double coefficient();

    /** Whether there is such a term. */
    default boolean isOn() {
        return coefficient() > 0;
    }

    /** No KL in the loss. */
    static KlPenalty none() {
        return new Estimated(KlEstimator.K3, 0);
    }

    /**
     * An estimate from one token per state. Which divergence its gradient descends depends on the estimator, and for {@link
     * KlEstimator#K1} is none: see there.
     *
     * @param estimator which
     * @param coefficient ≥ 0; 0 is off. K1 may not have another
     */
    record Estimated(KlEstimator estimator, double coefficient) implements KlPenalty {

        public Estimated {
            requireCoefficient(coefficient);
            if (estimator == KlEstimator.K1 && coefficient > 0) {
                throw new IllegalArgumentException(
                        "K1 as a term of the loss has an expected gradient of 0 and would only add"
                                + " noise; use K2 for KL(π‖π_ref), K3 for KL(π_ref‖π), or put K1 into the reward"
                                + " (RewardSettings.kl)");
            }
        }

        /**
         * {@code coefficient} times the estimate, and its derivative with respect to {@code logProbs}.
         *
         * @param logProbs log π of each token, nats
         * @param referenceLogProbs log π_ref of each token
         * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
         */
        public TokenLoss evaluate(double[][] logProbs, double[][] referenceLogProbs, double[] rowWeights) {
            return KlPenalty.evaluate(estimator, logProbs, referenceLogProbs, scaled(rowWeights, coefficient));
        }
    }

    /**
     * KL(π‖π_ref) of the whole next-token distribution at each state: {@link KlEstimator#K2}'s expected gradient on samples of π
     * itself without its noise, and the gradient of the KL at that state whichever token was drawn there, and by whom. The
     * policy has to give it ({@link io.github.rlhf4j.core.TrainablePolicy#forward(io.github.rlhf4j.core.SequenceBatch,
     * io.github.rlhf4j.core.Policy)}), at the cost of the reference's distributions in each pass.
     *
     * <p>It is a term of the loss alone. In the reward (TRL 0.7 had it there as {@code kl_penalty="full"}) it is no K1 without
     * noise: the exact KL of a state does not depend on the token that is drawn in it, so that an advantage has no credit in it for
     * that token's own log-ratio, only for the states it leads to.
     *
     * @param coefficient ≥ 0; 0 is off
     */
    record Exact(double coefficient) implements KlPenalty {

        public Exact {
            requireCoefficient(coefficient);
        }

        /**
         * {@code coefficient} times the KL, and its derivative with respect to {@code kls}, which is constant.
         *
         * @param kls KL(π‖π_ref) at each token, nats
         * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
         */
        public TokenLoss evaluate(double[][] kls, double[] rowWeights) {
            Ragged.requireRowWeights(rowWeights, kls);
            double loss = 0;
            double[][] gradient = Ragged.zerosLike(kls);
            for (int i = 0; i < kls.length; i++) {
                loss += coefficient * rowWeights[i] * Ragged.sum(kls[i]);
                Arrays.fill(gradient[i], coefficient * rowWeights[i]);
            }
            return new TokenLoss(loss, gradient);
        }
    }

    /**
     * The loss of a batch and its derivative with respect to {@code logProbs}.
     *
     * @param logProbs log π of each token, nats
     * @param referenceLogProbs log π_ref of each token
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}, times the coefficient
     */
    static TokenLoss evaluate(
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

    private static double[] scaled(double[] rowWeights, double coefficient) {
        return Arrays.stream(rowWeights).map(weight -> coefficient * weight).toArray();
    }

    private static void requireCoefficient(double coefficient) {
        if (!(coefficient >= 0) || Double.isInfinite(coefficient)) {
            throw new IllegalArgumentException(
                    "the coefficient of a KL in the loss must be ≥ 0 and finite (0 is off), got " + coefficient);
        }
    }
}
