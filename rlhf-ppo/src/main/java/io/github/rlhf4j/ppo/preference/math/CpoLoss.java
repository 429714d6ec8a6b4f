package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Contrastive preference optimisation (Xu et al. 2024, arXiv 2401.08417): DPO with a uniform reference, held in place by the likelihood of the chosen response:
 *
 * <pre>{@code
 * loss = −log σ(β·log π(y_w) − β·log π(y_l)) − α·log π(y_w)
 * }</pre>
 *
 * Log-probabilities are sums over tokens, as in the paper. TRL's likelihood term is a mean over tokens; that is {@code new
 * RpoLoss(new DpoLoss(ImplicitReward.logProb(beta)), α)} here.
 *
 * @param beta β &gt; 0; 0.1 in the paper
 * @param likelihood α ≥ 0; 1 in the paper
 */
public record CpoLoss(double beta, double likelihood) implements ImplicitRewardLoss {

    public CpoLoss {
        LossChecks.requireNotNegative("the likelihood's weight of CPO", likelihood);
        ImplicitReward.logProb(beta);
    }

    @Override
    public ImplicitReward reward() {
        return ImplicitReward.logProb(beta);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double difference = chosen - rejected;
        double slope = Logistic.sigmoid(-difference);
        double perReward = likelihood / beta; // log π = reward/β
        return new PairTerm(Logistic.softplus(-difference) - perReward * chosen, -slope - perReward, slope);
    }
}
