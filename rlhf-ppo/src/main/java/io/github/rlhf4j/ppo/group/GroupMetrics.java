package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.ppo.JudgedRollout;
import io.github.rlhf4j.ppo.math.Correlation;
import io.github.rlhf4j.ppo.math.DynamicSampling;
import io.github.rlhf4j.ppo.math.KlByPosition;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a rollout is reported as, by path, in the order a reader wants it. */
final class GroupMetrics {

    private static final int PARTS = 4;

    private GroupMetrics() {}

    /** Nats and reward units per sequence; the KL of quarters is per token. */
    static Map<String, Double> of(JudgedRollout rollout, double[][] rewards, int groupSize) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        double[] scores = rollout.scores();
        double[][] kl = rollout.kl();
        double[] lengths =
                Arrays.stream(Ragged.lengths(kl)).mapToDouble(length -> length).toArray();
        metrics.put("objective/score", Arrays.stream(scores).average().orElseThrow());
        metrics.put("objective/reward", Ragged.sum(rewards) / rewards.length);
        metrics.put("objective/kl", KlUnit.PER_SEQUENCE.of(kl));
        metrics.put(
                "objective/kl_k3",
                KlUnit.PER_SEQUENCE.of(KlEstimator.K3.values(rollout.logProbs(), rollout.referenceLogProbs())));
        double[] quarters = KlByPosition.byPart(kl, PARTS);
        for (int part = 0; part < PARTS; part++) {
            if (!Double.isNaN(quarters[part])) {
                metrics.put("objective/kl_quarter_" + (part + 1), quarters[part]);
            }
        }
        metrics.put("rollout/length", Arrays.stream(lengths).average().orElseThrow());
        metrics.put("rollout/stopped", share(rollout.stopped()));
        metrics.put("rollout/score_length_correlation", Correlation.of(scores, lengths));
        int useful = DynamicSampling.informativeGroups(scores, groupSize).length;
        metrics.put("group/informative", (double) useful * groupSize / rollout.size());
        return metrics;
    }

    private static double share(boolean[] flags) {
        int count = 0;
        for (boolean flag : flags) {
            count += flag ? 1 : 0;
        }
        return (double) count / flags.length;
    }
}
