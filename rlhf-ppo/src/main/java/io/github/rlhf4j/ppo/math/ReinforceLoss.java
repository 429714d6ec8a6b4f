package io.github.rlhf4j.ppo.math;

/**
 * REINFORCE (Williams 1992, "Simple statistical gradient-following algorithms for connectionist reinforcement learning"):
 *
 * <pre>{@code
 * loss = −A·log π
 * }</pre>
 *
 * whose gradient is the policy gradient on tokens that π itself drew. Nothing keeps π near the policy that sampled, so
 * take one update per rollout. With advantages that are 0 or positive weights it is weighted maximum likelihood.
 */
public record ReinforceLoss() implements PolicyLoss {

    @Override
    public PolicyLossResult evaluate(
            double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights) {
        double[][] ratios = Ragged.combine(logProbs, oldLogProbs, (now, old) -> Math.exp(now - old));
        double[][] ones = Ragged.map(ratios, ratio -> 1);
        return WeightedLogProbs.evaluate(logProbs, oldLogProbs, advantages, ones, ones, rowWeights);
    }
}
