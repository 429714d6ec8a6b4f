package io.github.rlhf4j.ppo.preference.math;

/**
 * The hinge in place of DPO's logistic (Liu et al. 2023, "Statistical rejection sampling improves preference optimization",
 * arXiv 2309.06657; SLiC's loss on log-ratios):
 *
 * <pre>{@code
 * loss = max(0, 1 − δ)
 * }</pre>
 *
 * A pair that is told apart by 1 or more has no gradient.
 *
 * @param reward the implicit reward, as DPO's
 */
public record HingeLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    /** The paper's, on sums. */
    public HingeLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double lack = 1 - (chosen - rejected);
        return PairTerm.ofDifference(Math.max(0, lack), lack > 0 ? -1 : 0);
    }
}
