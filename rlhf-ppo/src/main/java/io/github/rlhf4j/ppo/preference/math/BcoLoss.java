package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.core.math.Logistic;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * Binary classifier optimisation on pairs (Jung et al. 2024, "Binary classifier optimization for large language model
 * alignment", arXiv 2404.04656): a classifier by implicit reward says "good" of the chosen and "bad" of the rejected response:
 *
 * <pre>{@code
 * loss = −log σ(r(y_w) − δ) − log σ(−(r(y_l) − δ))
 * }</pre>
 *
 * It bounds DPO's loss from above for every δ, most closely at the midpoint of the two kinds' rewards ({@link #shift}). In a
 * trainer δ is the mean reward of all responses of the batches before, kept in its checkpoints ({@link #countingFrom}); with as
 * many chosen as rejected that is the midpoint, over the run. TRL's {@code bco_trainer.py} (f2cd577) takes the batch at hand
 * into the mean as well, which would be another pass of the policy here.
 *
 * @param reward the implicit reward, with a reference
 * @param shift δ, reward units, has no gradient; in a trainer what is added to the running mean; 0 by default
 */
public record BcoLoss(ImplicitReward reward, double shift) implements ImplicitRewardLoss {

    public BcoLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "BCO");
        if (!Double.isFinite(shift)) {
            throw new IllegalArgumentException("the shift of BCO must be finite, got " + shift);
        }
    }

    /** On sums, with shift 0. */
    public BcoLoss(double beta) {
        this(ImplicitReward.logRatio(beta), 0);
    }

    /**
     * The paper's δ: the midpoint of the mean reward of the chosen and that of the rejected.
     *
     * @param chosen implicit rewards, at least one
     * @param rejected likewise
     */
    public static double shift(double[] chosen, double[] rejected) {
        if (chosen.length == 0 || rejected.length == 0) {
            throw new IllegalArgumentException("the shift of BCO is a mean over at least one reward of each kind, got "
                    + chosen.length + " and " + rejected.length);
        }
        return (Ragged.sum(chosen) / chosen.length + Ragged.sum(rejected) / rejected.length) / 2;
    }

    @Override
    public BcoLoss countingFrom(double rewardMean) {
        return new BcoLoss(reward, shift + rewardMean);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double good = chosen - shift;
        double bad = rejected - shift;
        return new PairTerm(
                Logistic.softplus(-good) + Logistic.softplus(bad), -Logistic.sigmoid(-good), Logistic.sigmoid(bad));
    }
}
