package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Anchored preference optimisation, "zero" (D'Oosterlinck et al. 2024, arXiv 2408.06266):
 *
 * <pre>{@code
 * loss = 1 − σ(r(y_w)) + σ(r(y_l))
 * }</pre>
 *
 * raises the likelihood of the chosen and lowers that of the rejected response, each against the reference: for chosen
 * responses that are better than what the policy writes. The paper leaves the constant 1 out.
 *
 * @param reward the implicit reward, with a reference
 */
public record ApoZeroLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    public ApoZeroLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "APO");
    }

    public ApoZeroLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        return new PairTerm(
                Logistic.sigmoid(-chosen) + Logistic.sigmoid(rejected),
                -Logistic.sigmoidSlope(chosen),
                Logistic.sigmoidSlope(rejected));
    }
}
