package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.ExplainedVariance;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.RatioStatistics;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a step reports, by path, in the order a reader wants it. */
final class PpoMetrics {

    private final Map<String, Double> metrics = new LinkedHashMap<>();

    PpoMetrics objective(Judgement judgement, double[][] rewards) {
        RolloutMetrics.report(
                judgement.scores(), rewards, judgement.logProbs(), judgement.referenceLogProbs(), metrics);
        return this;
    }

    PpoMetrics shaping(RewardState state, RewardSettings settings) {
        state.report(settings, metrics);
        return this;
    }

    PpoMetrics rollout(Rollout rollout, Task task) {
        RolloutMetrics.reportEnds(rollout, task, metrics);
        metrics.put("rollout/distinct", (double) rollout.distinctContinuations() / rollout.size());
        return this;
    }

    /** Where rollouts may be another policy's. */
    PpoMetrics correction(double[][] weights, AdvantageSettings settings) {
        if (!(settings.correction() instanceof RolloutCorrection.None)) {
            metrics.put("ppo/correction", Ragged.mean(weights));
        }
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

    /** Where the loss has a KL in it. */
    PpoMetrics kl(UpdateTally tally, LossSettings losses) {
        if (losses.kl().isOn()) {
            metrics.put("ppo/kl_loss", tally.klLoss());
            tally.reportExactKl("ppo/exact_kl", metrics);
        }
        return this;
    }

    /** Updates that were undone are none. */
    PpoMetrics budget(KlBacktracking.Outcome<UpdateTally> outcome) {
        outcome.report(metrics);
        if (outcome.rateFactor() == 0) {
            metrics.put("ppo/updates", 0.0);
        }
        return this;
    }

    /** Those that the updates were done with: a budget scales the policy's, to 0 where the updates were undone. */
    PpoMetrics rates(PpoConfig config, long iteration, double rateFactor) {
        boolean policyStays = config.losses().warmsUp(iteration);
        metrics.put(
                "ppo/learning_rate",
                policyStays ? 0 : rateFactor * config.policyRate().at(iteration));
        metrics.put("ppo/value_learning_rate", config.valueRate().at(iteration));
        return this;
    }

    PpoMetrics pretraining(UpdateTally tally, LossSettings losses, long iteration) {
        if (losses.ptxCoefficient() > 0 && !losses.warmsUp(iteration)) {
            metrics.put("ptx/loss", tally.ptxLoss());
        }
        return this;
    }

    Map<String, Double> asMap() {
        return metrics;
    }
}
