package io.github.rlhf4j.reward.evaluation;

import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.reward.math.PairCounts;
import io.github.rlhf4j.reward.math.RankingLoss;

/**
 * How often a reward model agrees with a labeler.
 *
 * @param accuracy share of comparisons in which the preferred response scores higher, equal scores counted half; in
 *     [0, 1]. A model that cannot tell responses apart, or is read at the wrong token, stays at 0.5
 * @param margin mean of s_winner − s_loser, score units
 * @param loss mean over rankings, nats; log 2 ≈ 0.693 for a pair is what knowing nothing costs
 * @param comparisons pairs that do not tie
 */
public record RewardAccuracy(double accuracy, double margin, double loss, int comparisons) {

    /** Of a model on a dataset under the InstructGPT loss; rankings that all tie are passed over. */
    public static RewardAccuracy of(RewardModel model, PreferenceDataset dataset) {
        return of(model, dataset, RankingLoss.instructGpt());
    }

    /**
     * Of a model on a dataset.
     *
     * @throws IllegalArgumentException when the dataset holds no comparison
     */
    public static RewardAccuracy of(RewardModel model, PreferenceDataset dataset, RankingLoss loss) {
        PairCounts counts = PairCounts.NONE;
        double sum = 0;
        int rankings = 0;
        for (ScoredRanking scored : ScoredRanking.all(model, dataset)) {
            counts = counts.plus(PairCounts.of(scored.scores(), scored.ranks()));
            sum += loss.of(scored.scores(), scored.ranks()).loss();
            rankings++;
        }
        return new RewardAccuracy(counts.accuracy(), counts.meanMargin(), sum / rankings, counts.comparisons());
    }
}
