package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Anchored preference optimisation, "down" (D'Oosterlinck et al. 2024, arXiv 2408.06266):
 *
 * <pre>{@code
 * loss = σ(r(y_w)) + 1 − σ(r(y_w) − r(y_l))
 * }</pre>
 *
 * lowers the likelihood of both, of the rejected response more: for chosen responses that are worse than what the policy
 * writes. The paper leaves the constant 1 out.
 *
 * @param reward the implicit reward, with a reference
 */
public record ApoDownLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    public ApoDownLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "APO");
    }

    public ApoDownLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double difference = chosen - rejected;
        double slope = Logistic.sigmoidSlope(difference);
        return new PairTerm(
                Logistic.sigmoid(chosen) + Logistic.sigmoid(-difference), Logistic.sigmoidSlope(chosen) - slope, slope);
    }
}
