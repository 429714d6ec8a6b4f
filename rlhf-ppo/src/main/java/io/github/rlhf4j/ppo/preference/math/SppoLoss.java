package io.github.rlhf4j.ppo.preference.math;

/**
 * Self-play preference optimisation with hard labels (Wu et al. 2024, arXiv 2405.00675): the squared distance of each
 * log-ratio to η·(P(y wins) − ½), with P = 1 for the chosen and 0 for the rejected response, and η = 1/β:
 *
 * <pre>{@code
 * loss = (log π(y_w)/π_ref(y_w) − 1/(2β))² + (log π(y_l)/π_ref(y_l) + 1/(2β))²
 * }</pre>
 *
 * In the paper the reference is the policy of the iteration before, and its own samples are compared.
 *
 * @param reward the implicit reward, with a reference
 */
public record SppoLoss(ImplicitReward reward) implements ImplicitRewardLoss {

    public SppoLoss {
        LossChecks.require(reward, ImplicitReward.Reference.SUBTRACTED, "SPPO");
    }

    public SppoLoss(double beta) {
        this(ImplicitReward.logRatio(beta));
    }

    @Override
    public PairTerm ofRewards(double chosen, double rejected) {
        double beta = reward.beta();
        double chosenMiss = chosen / beta - 1 / (2 * beta);
        double rejectedMiss = rejected / beta + 1 / (2 * beta);
        return new PairTerm(
                chosenMiss * chosenMiss + rejectedMiss * rejectedMiss, 2 * chosenMiss / beta, 2 * rejectedMiss / beta);
    }
}
