package io.github.rlhf4j.ppo.preference.math;

/**
 * Loss of a batch of pairs.
 *
 * @param loss weighted sum over pairs
 * @param dChosen dLoss/dlogProb of the chosen responses, {@code [pair][token]}
 * @param dRejected dLoss/dlogProb of the rejected responses, {@code [pair][token]}
 * @param statistics rewards and log-probs of both
 */
public record PairResult(double loss, double[][] dChosen, double[][] dRejected, PreferenceStatistics statistics) {}
