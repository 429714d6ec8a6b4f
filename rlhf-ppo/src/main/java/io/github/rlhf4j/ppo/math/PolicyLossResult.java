package io.github.rlhf4j.ppo.math;

/**
 * Loss, gradient and diagnostics.
 *
 * @param loss weighted sum over tokens
 * @param gradient dLoss/dlogProb
 * @param statistics how far the policy has moved
 */
public record PolicyLossResult(double loss, double[][] gradient, RatioStatistics statistics) {}
