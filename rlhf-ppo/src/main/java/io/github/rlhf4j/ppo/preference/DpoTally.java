package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.ppo.preference.math.PreferenceStatistics;
import java.util.List;
import java.util.Map;

/** What batches, and the parts of each, add up to. */
final class DpoTally {

    private double anchor;
    private double loss;
    private int batches;
    private PreferenceStatistics statistics = PreferenceStatistics.NONE;
    private long tokens;

    void add(List<Example> part, Objective.Outcome outcome) {
        loss += outcome.loss();
        statistics = statistics.plus(outcome.statistics());
        tokens += part.stream()
                .flatMap(example -> example.learned().stream())
                .mapToLong(ScoredSequence::scoredCount)
                .sum();
    }

    /**
     * Ends a batch.
     *
     * @param from what its rewards counted from
     */
    void endBatch(double from) {
        anchor = from;
        batches++;
    }

    /** Mean over batches. */
    double loss() {
        return loss / batches;
    }

    int batches() {
        return batches;
    }

    PreferenceStatistics statistics() {
        return statistics;
    }

    /** By path, in the order a reader wants it. A batch without desirable or undesirable responses has NaN for theirs. */
    void report(Map<String, Double> metrics) {
        metrics.put("dpo/loss", loss());
        metrics.put("dpo/reward_chosen", statistics.chosenReward());
        metrics.put("dpo/reward_rejected", statistics.rejectedReward());
        metrics.put("dpo/margin", statistics.margin());
        if (statistics.pairs() > 0) {
            metrics.put("dpo/accuracy", statistics.accuracy());
        } else {
            metrics.put("dpo/kl", anchor);
        }
        metrics.put("dpo/log_prob_chosen", statistics.chosenLogProb());
        metrics.put("dpo/log_prob_rejected", statistics.rejectedLogProb());
        metrics.put("dpo/tokens", (double) tokens);
    }
}
