package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Conservative DPO (Mitchell 2023, "A note on DPO with noisy preferences and relationship to IPO"): DPO against labels that
 * are the wrong way round with probability ε, i.e. label smoothing.
 *
 * <pre>{@code
 * loss = −(1 − ε)·log σ(δ) − ε·log σ(−δ)
 * }</pre>
 *
 * Its minimum is at a finite δ = log((1 − ε)/ε), so the policy is not driven ever further.
 *
 * @param reward the implicit reward, as DPO's
 * @param labelNoise ε in [0, ½)
 */
public record ConservativeDpoLoss(ImplicitReward reward, double labelNoise) implements ImplicitRewardLoss {

    public ConservativeDpoLoss {
        LossChecks.requireNoise(labelNoise);
    }

    public ConservativeDpoLoss(double beta, double labelNoise) {
        this(ImplicitReward.logRatio(beta), labelNoise);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double difference = chosen - rejected;
        return PairTerm.ofDifference(
                (1 - labelNoise) * Logistic.softplus(-difference) + labelNoise * Logistic.softplus(difference),
                -(1 - labelNoise) * Logistic.sigmoid(-difference) + labelNoise * Logistic.sigmoid(difference));
    }
}
