package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290):
 *
 * <pre>{@code
 * loss = −log σ(δ),  δ = β·[log π(y_w)/π_ref(y_w) − log π(y_l)/π_ref(y_l)]
 * }</pre>
 *
 * the Bradley–Terry likelihood of the preference under the policy's implicit reward. With {@link
 * ImplicitReward#meanLogRatio} it is the length-normalised DPO of Lambert et al. 2024 ("Tülu 3").
 *
 * @param reward the implicit reward; the paper takes {@link ImplicitReward#logRatio} with β = 0.1
 */
public record DpoLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    /** The paper's, on sums. */
    public DpoLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double difference = chosen - rejected;
        return PairTerm.ofDifference(Logistic.softplus(-difference), -Logistic.sigmoid(-difference));
    }
}
