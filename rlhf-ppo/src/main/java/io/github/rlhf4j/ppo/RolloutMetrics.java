package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.Correlation;
import io.github.rlhf4j.ppo.math.KlByPosition;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.Map;

/** What is reported of a rollout, whoever learns from it, by path, in the order a reader wants it. */
final class RolloutMetrics {

    private static final int PARTS = 4;

    private RolloutMetrics() {}

    /**
     * Nats and reward units per sequence; the KL of quarters of the responses is per token.
     *
     * @param scores the reward model's, one per response
     * @param rewards what is learned from, one row per response
     * @param logProbs log π of each response token, nats
     * @param reference log π_ref, nats
     */
    static void report(
            double[] scores,
            double[][] rewards,
            double[][] logProbs,
            double[][] reference,
            Map<String, Double> metrics) {
        double[][] kl = KlEstimator.K1.values(logProbs, reference);
        metrics.put("objective/score", Arrays.stream(scores).average().orElseThrow());
        metrics.put("objective/score_std", standardDeviation(scores));
        metrics.put("objective/reward", Ragged.sum(rewards) / rewards.length);
        metrics.put("objective/kl", KlUnit.PER_SEQUENCE.of(kl));
        metrics.put("objective/kl_k3", KlUnit.PER_SEQUENCE.of(KlEstimator.K3.values(logProbs, reference)));
        double[] quarters = KlByPosition.byPart(kl, PARTS);
        for (int part = 0; part < PARTS; part++) {
            if (!Double.isNaN(quarters[part])) {
                metrics.put("objective/kl_quarter_" + (part + 1), quarters[part]);
            }
        }
        double[] lengths = Arrays.stream(Ragged.lengths(kl)).asDoubleStream().toArray();
        metrics.put("rollout/score_length_correlation", Correlation.of(scores, lengths));
        metrics.put("rollout/length", Arrays.stream(lengths).average().orElseThrow());
    }

    /** How responses ended, and after how many turns where they are dialogues. */
    static void reportEnds(Rollout rollout, Task task, Map<String, Double> metrics) {
        metrics.put("rollout/stopped", (double) rollout.stoppedCount() / rollout.size());
        if (task instanceof Task.Dialogues) {
            metrics.put("rollout/turns", rollout.turns());
        }
    }

    private static double standardDeviation(double[] scores) {
        double mean = Arrays.stream(scores).average().orElseThrow();
        return Math.sqrt(Arrays.stream(scores)
                .map(s -> (s - mean) * (s - mean))
                .average()
                .orElseThrow());
    }
}
