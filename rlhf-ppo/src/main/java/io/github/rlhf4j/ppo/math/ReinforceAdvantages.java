package io.github.rlhf4j.ppo.math;

/**
 * REINFORCE with a baseline (Williams 1992), which is here the mean reward of all other responses of the rollout, to
 * whatever prompt: independent of the response, so that the policy gradient stays unbiased, and there without several
 * responses per prompt.
 */
public record ReinforceAdvantages() implements GroupAdvantages {

    @Override
    public int leastGroup() {
        return 1;
    }

    /** A of each token; at least two rows. */
    @Override
    public double[][] estimate(double[][] rewards, int groupSize) {
        GroupAdvantages.requireGroups(rewards, groupSize, 1);
        return new RlooAdvantages().estimate(rewards, rewards.length);
    }
}
