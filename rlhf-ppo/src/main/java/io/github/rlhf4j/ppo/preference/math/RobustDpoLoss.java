package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Robust DPO (Chowdhury, Kini and Natarajan 2024, "Provably robust DPO", arXiv 2403.00409): an unbiased estimate, from
 * labels of which a share ε is the wrong way round, of the DPO loss on the true labels.
 *
 * <pre>{@code
 * loss = [−(1 − ε)·log σ(δ) + ε·log σ(−δ)] / (1 − 2ε)
 * }</pre>
 *
 * It has no lower bound.
 *
 * @param reward the implicit reward, as DPO's
 * @param labelNoise ε in [0, ½)
 */
public record RobustDpoLoss(ImplicitReward reward, double labelNoise) implements ImplicitRewardLoss {

    public RobustDpoLoss {
        LossChecks.requireNoise(labelNoise);
    }

    public RobustDpoLoss(double beta, double labelNoise) {
        this(ImplicitReward.logRatio(beta), labelNoise);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double difference = chosen - rejected;
        double right = (1 - labelNoise) / (1 - 2 * labelNoise);
        double wrong = labelNoise / (1 - 2 * labelNoise);
        return PairTerm.ofDifference(
                right * Logistic.softplus(-difference) - wrong * Logistic.softplus(difference),
                -right * Logistic.sigmoid(-difference) - wrong * Logistic.sigmoid(difference));
    }
}
