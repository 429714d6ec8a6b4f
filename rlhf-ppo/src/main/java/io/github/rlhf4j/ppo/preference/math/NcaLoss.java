package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Noise contrastive alignment of pairs (Chen et al. 2024, "Noise contrastive alignment of language models with explicit
 * rewards", arXiv 2402.05369, for preference pairs):
 *
 * <pre>{@code
 * loss = −log σ(r(y_w)) − ½·log σ(−r(y_w)) − ½·log σ(−r(y_l))
 * }</pre>
 *
 * It looks at rewards and not only at their difference, so that the chosen response's likelihood does not fall with the
 * rejected one's.
 *
 * @param reward the implicit reward, with a reference
 */
public record NcaLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    public NcaLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "NCA");
    }

    public NcaLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        return new PairTerm(
                Logistic.softplus(-chosen) + 0.5 * Logistic.softplus(chosen) + 0.5 * Logistic.softplus(rejected),
                -Logistic.sigmoid(-chosen) + 0.5 * Logistic.sigmoid(chosen),
                0.5 * Logistic.sigmoid(rejected));
    }
}
