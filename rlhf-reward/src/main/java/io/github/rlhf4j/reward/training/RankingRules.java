package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.reward.RewardModels;
import io.github.rlhf4j.reward.TrainableRewardModel;

/** What a dataset must be to be trained on. */
final class RankingRules {

    private RankingRules() {}

    static void check(String use, PreferenceDataset dataset, TrainableRewardModel model) {
        if (dataset.size() == 0) {
            throw new IllegalArgumentException(
                    "the " + use + " dataset has no rankings; a reward model needs at least one");
        }
        for (int i = 0; i < dataset.size(); i++) {
            check(use, i, dataset.get(i), model);
        }
    }

    private static void check(String use, int index, Ranking ranking, TrainableRewardModel model) {
        if (ranking.pairCount() == 0) {
            throw new IllegalArgumentException("ranking " + index + " of the " + use + " dataset has no winner: all "
                    + ranking.size() + " responses tie, so there is nothing to learn from it; leave it out. "
                    + RewardModels.describe(ranking.exchange(0)));
        }
        for (int i = 0; i < ranking.size(); i++) {
            try {
                model.tokenCount(ranking.exchange(i));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "response " + i + " of ranking " + index + " of the " + use + " dataset: " + e.getMessage(), e);
            }
        }
    }
}
