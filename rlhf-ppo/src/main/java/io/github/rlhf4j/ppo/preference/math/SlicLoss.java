package io.github.rlhf4j.ppo.preference.math;

/**
 * SLiC-HF, sequence likelihood calibration (Zhao et al. 2023, arXiv 2305.10425):
 *
 * <pre>{@code
 * loss = max(0, m − log π(y_w) + log π(y_l)) − λ·log π(y_w)
 * }</pre>
 *
 * with no reference policy: the second term keeps the policy near text that it should write. The paper takes a
 * demonstration or the best candidate for that text; here it is the chosen response.
 *
 * @param margin m &gt; 0, the paper's δ, nats; 1 in the paper
 * @param regularization λ ≥ 0
 */
public record SlicLoss(double margin, double regularization) implements ImplicitRewardLoss {

    public SlicLoss {
        if (!(margin > 0) || Double.isInfinite(margin)) {
            throw new IllegalArgumentException("the margin of SLiC must be > 0 and finite, got " + margin);
        }
        LossChecks.requireNotNegative("the regularization of SLiC", regularization);
    }

    @Override
    public ImplicitReward reward() {
        return ImplicitReward.logProb(1);
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double lack = margin - (chosen - rejected);
        double slope = lack > 0 ? 1 : 0;
        return new PairTerm(Math.max(0, lack) - regularization * chosen, -slope - regularization, slope);
    }
}
