package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.Correlation;
import io.github.rlhf4j.ppo.math.ExplainedVariance;
import io.github.rlhf4j.ppo.math.KlByPosition;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.RatioStatistics;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a step reports, by path, in the order a reader wants it. */
final class PpoMetrics {

    private static final int PARTS = 4;

    private final Map<String, Double> metrics = new LinkedHashMap<>();

    /** Nats and reward units per sequence, except the KL of quarters of the responses, which is per token. */
    PpoMetrics objective(Rollout rollout, Judgement judgement, double[][] rewards, double coefficient) {
        double[] scores = judgement.scores();
        double[][] logProbs = rollout.logProbs();
        double[][] reference = judgement.referenceLogProbs();
        metrics.put("objective/score", Arrays.stream(scores).average().orElseThrow());
        metrics.put("objective/score_std", standardDeviation(scores));
        metrics.put("objective/reward", Ragged.sum(rewards) / rewards.length);
        metrics.put("objective/kl", KlUnit.PER_SEQUENCE.of(KlEstimator.K1.values(logProbs, reference)));
        metrics.put("objective/kl_k3", KlUnit.PER_SEQUENCE.of(KlEstimator.K3.values(logProbs, reference)));
        metrics.put("objective/kl_coefficient", coefficient);
        double[] quarters = KlByPosition.byPart(KlEstimator.K1.values(logProbs, reference), PARTS);
        for (int part = 0; part < PARTS; part++) {
            if (!Double.isNaN(quarters[part])) {
                metrics.put("objective/kl_quarter_" + (part + 1), quarters[part]);
            }
        }
        double[] lengths =
                Arrays.stream(Ragged.lengths(logProbs)).asDoubleStream().toArray();
        metrics.put("rollout/score_length_correlation", Correlation.of(scores, lengths));
        return this;
    }

    PpoMetrics rollout(Rollout rollout) {
        metrics.put("rollout/length", (double) rollout.batch().scoredCount() / rollout.size());
        metrics.put("rollout/stopped", (double) rollout.stoppedCount() / rollout.size());
        metrics.put("rollout/distinct", (double) rollout.distinctResponses() / rollout.size());
        return this;
    }

    PpoMetrics updates(UpdateTally tally, Experience experience) {
        RatioStatistics statistics = tally.statistics();
        metrics.put("objective/entropy", tally.entropy());
        metrics.put("ppo/policy_loss", tally.policyLoss());
        metrics.put("ppo/value_loss", tally.valueLoss());
        metrics.put("ppo/approx_kl", statistics.approximateKl());
        metrics.put("ppo/approx_kl_k3", statistics.approximateKlK3());
        metrics.put("ppo/clip_fraction", statistics.clipFraction());
        metrics.put("ppo/value_clip_fraction", tally.valueClipFraction());
        metrics.put("ppo/ratio", statistics.ratio());
        metrics.put("ppo/on_policy_error", tally.onPolicyError());
        metrics.put("ppo/explained_variance", ExplainedVariance.of(experience.values(), experience.returns()));
        metrics.put("ppo/gradient_norm", tally.gradientNorm());
        metrics.put("ppo/updates", (double) tally.updates());
        return this;
    }

    PpoMetrics rates(PpoConfig config, long iteration) {
        metrics.put("ppo/learning_rate", config.policyRate().at(iteration));
        metrics.put("ppo/value_learning_rate", config.valueRate().at(iteration));
        return this;
    }

    PpoMetrics pretraining(UpdateTally tally, double coefficient) {
        if (coefficient > 0) {
            metrics.put("ptx/loss", tally.ptxLoss());
        }
        return this;
    }

    Map<String, Double> asMap() {
        return metrics;
    }

    private static double standardDeviation(double[] scores) {
        double mean = Arrays.stream(scores).average().orElseThrow();
        return Math.sqrt(Arrays.stream(scores)
                .map(s -> (s - mean) * (s - mean))
                .average()
                .orElseThrow());
    }
}
