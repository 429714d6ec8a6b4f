package io.github.rlhf4j.ppo.preference.math;

/**
 * Any pair loss with the likelihood of the chosen response beside it (Pang et al. 2024, "Iterative reasoning preference
 * optimization", arXiv 2404.19733; TRL's {@code rpo_alpha}):
 *
 * <pre>{@code
 * loss = pair loss − α·mean_t log π(y_w,t)
 * }</pre>
 *
 * The remedy where DPO lowers the likelihood of chosen responses along with that of the rejected.
 *
 * @param pairs the loss that compares
 * @param likelihood α ≥ 0; 1 in the paper
 */
public record RpoLoss(PairLoss pairs, double likelihood) implements PairLoss {

    public RpoLoss {
        LossChecks.requireNotNegative("the likelihood's weight of RPO", likelihood);
    }

    @Override
    public ImplicitReward reward() {
        return pairs.reward();
    }

    @Override
    public PairLoss countingFrom(double rewardMean) {
        return new RpoLoss(pairs.countingFrom(rewardMean), likelihood);
    }

    @Override
    public PairTerm of(Pair pair) {
        PairTerm term = pairs.of(pair);
        double perToken = likelihood / pair.chosen().tokens();
        return new PairTerm(
                term.loss() - perToken * pair.chosen().logProb(), term.dChosen() - perToken, term.dRejected());
    }
}
