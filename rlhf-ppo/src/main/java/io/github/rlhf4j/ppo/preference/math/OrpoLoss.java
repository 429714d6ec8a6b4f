package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Odds-ratio preference optimisation (Hong, Lee and Thorne 2024, arXiv 2403.07691): supervised
 * fine-tuning on the chosen response, and the log of the odds ratio told apart, in one step and with no reference policy:
 *
 * <pre>{@code
 * loss = −ℓ_w − λ·log σ(log odds(ℓ_w) − log odds(ℓ_l)),  log odds(ℓ) = ℓ − log(1 − e^ℓ)
 * }</pre>
 *
 * with ℓ = mean over tokens of log π. A response is taken to be certain to {@value #CERTAIN} nats per token
 * at most, where the odds would be infinite.
 *
 * @param lambda λ ≥ 0, weight of the odds ratio; 0.1 in the paper
 */
public record OrpoLoss(double lambda) implements ImplicitRewardLoss {

    private static final double CERTAIN = -1e-7;

    public OrpoLoss {
        LossChecks.requireNotNegative("lambda of ORPO", lambda);
    }

    /** ℓ, by which the odds are ordered. */
    @Override
    public ImplicitReward reward() {
        return ImplicitReward.meanLogProb(1);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double w = Math.min(chosen, CERTAIN);
        double l = Math.min(rejected, CERTAIN);
        double ratio = logOdds(w) - logOdds(l);
        double dRatio = -lambda * Logistic.sigmoid(-ratio);
        return new PairTerm(
                -chosen + lambda * Logistic.softplus(-ratio), -1 + dRatio * dLogOdds(w), -dRatio * dLogOdds(l));
    }

    private static double logOdds(double meanLogProb) {
        return meanLogProb - Logistic.log1mExp(meanLogProb);
    }

    /** 1/(1 − e^ℓ). */
    private static double dLogOdds(double meanLogProb) {
        return -1 / Math.expm1(meanLogProb);
    }
}
