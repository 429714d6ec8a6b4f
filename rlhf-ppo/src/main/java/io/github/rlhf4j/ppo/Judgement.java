package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * What a rollout was found to be worth; all rows are the responses' tokens.
 *
 * @param logProbs log π before the first update on the rollout, nats: the sampler's, where that is the trained policy
 * @param referenceLogProbs log π_ref, nats
 * @param values V before the first update on the rollout, reward units
 * @param tokenScores the reward model's or the environment's, reward units
 */
record Judgement(double[][] logProbs, double[][] referenceLogProbs, double[][] values, double[][] tokenScores) {

    /** The score of each response, {@code [B]}. */
    double[] scores() {
        return Ragged.rowSums(tokenScores);
    }

    /** K1 of each token to the reference, nats. */
    double[][] kl() {
        return KlEstimator.K1.values(logProbs, referenceLogProbs);
    }
}
