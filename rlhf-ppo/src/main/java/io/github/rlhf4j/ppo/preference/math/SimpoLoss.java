package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Simple preference optimisation (Meng, Xia and Chen 2024, arXiv 2405.14734): the reward is the mean log-prob,
 * as generation ranks responses, with a target margin and no reference policy:
 *
 * <pre>{@code
 * loss = −log σ(β·mean log π(y_w) − β·mean log π(y_l) − γ)
 * }</pre>
 *
 * @param beta β &gt; 0; the paper takes 2 to 10
 * @param margin γ ≥ 0, reward units
 */
public record SimpoLoss(double beta, double margin) implements ImplicitRewardLoss {

    public SimpoLoss {
        LossChecks.requireNotNegative("the margin of SimPO", margin);
        ImplicitReward.meanLogProb(beta);
    }

    @Override
    public ImplicitReward reward() {
        return ImplicitReward.meanLogProb(beta);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double lead = chosen - rejected - margin;
        return PairTerm.ofDifference(Logistic.softplus(-lead), -Logistic.sigmoid(-lead));
    }
}
