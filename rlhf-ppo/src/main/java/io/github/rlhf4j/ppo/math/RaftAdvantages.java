package io.github.rlhf4j.ppo.math;

/**
 * Reward ranked fine-tuning, expert iteration with rejection sampling (Dong et al. 2023, "RAFT", arXiv 2304.06767): of the
 * responses to a prompt the best is learned by maximum likelihood, the others are thrown away. As advantages for {@link
 * ReinforceLoss}: n for the best, 0 for the rest, so that under {@link Aggregation#SEQUENCE_MEAN} the loss is the mean
 * negative log-likelihood of the chosen. Of equal rewards the first wins, as in best-of-n.
 */
public record RaftAdvantages() implements GroupAdvantages.OfSequences {

    @Override
    public double[] ofGroup(double[] rewards) {
        int best = 0;
        for (int i = 1; i < rewards.length; i++) {
            best = rewards[i] > rewards[best] ? i : best;
        }
        double[] advantages = new double[rewards.length];
        advantages[best] = rewards.length;
        return advantages;
    }
}
