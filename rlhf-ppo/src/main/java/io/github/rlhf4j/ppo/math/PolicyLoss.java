package io.github.rlhf4j.ppo.math;

/**
 * A loss whose gradient is a policy gradient: it raises the log-probs of tokens with a positive advantage and lowers the
 * others, on a rollout of a policy that may have moved since. What the members part in is how they keep it from moving far.
 *
 * <p>Each is homogeneous in the advantages: multiplied by a weight w ≥ 0 they multiply loss and gradient of their token by
 * w. That is how {@link RolloutCorrection} enters.
 */
public interface PolicyLoss {

    /**
     * The loss of a batch.
     *
     * @param logProbs log π of each token, nats
     * @param oldLogProbs log π_old: of the policy before the first update on the rollout, as {@code logProbs} in shape
     * @param advantages A of each token, likewise
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
     */
    PolicyLossResult evaluate(double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights);
}
