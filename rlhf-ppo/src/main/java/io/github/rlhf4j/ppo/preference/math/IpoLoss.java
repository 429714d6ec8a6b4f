package io.github.rlhf4j.ppo.preference.math;

/**
 * Identity preference optimisation (Azar et al. 2023, "A general theoretical paradigm to understand learning from human
 * preferences", arXiv 2310.12036):
 *
 * <pre>{@code
 * loss = (h − 1/(2τ))²,  h = log π(y_w)/π_ref(y_w) − log π(y_l)/π_ref(y_l)
 * }</pre>
 *
 * regression of the log-ratios' difference on a finite target, where Bradley–Terry would push it to infinity when labels
 * never disagree. The paper and OpenRLHF take sums over tokens, which is the default here; <b>TRL takes means</b>, which is
 * {@link ImplicitReward#meanLogRatio}.
 *
 * @param reward the implicit reward; its β is the paper's τ
 */
public record IpoLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    public IpoLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "IPO");
    }

    /** The paper's, on sums. */
    public IpoLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double beta = reward.beta();
        double miss = (chosen - rejected) / beta - 1 / (2 * beta);
        return PairTerm.ofDifference(miss * miss, 2 * miss / beta);
    }
}
