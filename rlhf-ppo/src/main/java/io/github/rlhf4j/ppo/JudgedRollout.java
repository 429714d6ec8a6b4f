package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.stream.Stream;

/**
 * Responses of a policy, or dialogues with it, and what reference and payer say of them; all rows are the policy's own tokens,
 * of all its turns.
 *
 * @param rollout what was said
 * @param logProbs log π of each token by the policy's own scoring before any update; the sampler's where the two are one
 * @param referenceLogProbs log π_ref, nats
 * @param tokenScores the reward model's or the environment's, reward units
 */
public record JudgedRollout(
        Rollout rollout, double[][] logProbs, double[][] referenceLogProbs, double[][] tokenScores) {

    /** Number of responses. */
    public int size() {
        return rollout.size();
    }

    /** Prompts and what followed, the policy's tokens scored, at the sampling temperature. */
    public SequenceBatch batch() {
        return rollout.batch();
    }

    /** log π of each token when it was drawn, nats. */
    public double[][] samplerLogProbs() {
        return rollout.logProbs();
    }

    /** Whether each response ended by itself. */
    public boolean[] stopped() {
        return rollout.stopped();
    }

    /** The score of each response, {@code [B]}. */
    public double[] scores() {
        return Ragged.rowSums(tokenScores);
    }

    /** K1 of each token to the reference, nats. */
    public double[][] kl() {
        return KlEstimator.K1.values(logProbs, referenceLogProbs);
    }

    /** The responses at these indices, in this order. */
    public JudgedRollout select(int... rows) {
        return new JudgedRollout(
                rollout.select(rows),
                Ragged.select(logProbs, rows),
                Ragged.select(referenceLogProbs, rows),
                Ragged.select(tokenScores, rows));
    }

    /** These responses and then the others. */
    public JudgedRollout plus(JudgedRollout other) {
        return new JudgedRollout(
                rollout.plus(other.rollout),
                concat(logProbs, other.logProbs),
                concat(referenceLogProbs, other.referenceLogProbs),
                concat(tokenScores, other.tokenScores));
    }

    private static double[][] concat(double[][] a, double[][] b) {
        return Stream.concat(Arrays.stream(a), Arrays.stream(b)).toArray(double[][]::new);
    }
}
