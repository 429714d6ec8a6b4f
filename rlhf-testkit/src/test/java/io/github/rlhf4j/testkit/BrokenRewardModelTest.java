package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each test of the reward models' contract fails on a model that breaks its promise, and says which. */
class BrokenRewardModelTest {

    private static RewardModelContract reward(RewardModel model) {
        return new RewardModelContract() {
            @Override
            protected RewardModel rewardModel() {
                return model;
            }
        };
    }

    private static double[] lengths(List<Exchange> batch) {
        return batch.stream().mapToDouble(e -> e.response().length()).toArray();
    }

    @Test
    void rewardModels() {
        RewardModelContract missing = reward(batch -> new double[Math.max(0, batch.size() - 1)]);
        assertFails(missing, RewardModelContract::thereIsOneFiniteScorePerExchange, "one score per exchange");
        RewardModelContract infinite = reward(batch ->
                batch.stream().mapToDouble(e -> 1.0 / e.response().length()).toArray());
        assertFails(infinite, RewardModelContract::thereIsOneFiniteScorePerExchange, "must be finite");
        RewardModelContract neverEmpty = reward(batch -> new double[Math.max(1, batch.size())]);
        assertFails(neverEmpty, RewardModelContract::anEmptyBatchHasNoScores, "one score per exchange");
        RewardModelContract sorted = reward(batch -> {
            double[] scores = lengths(batch);
            Arrays.sort(scores);
            return scores;
        });
        assertFails(sorted, RewardModelContract::scoresFollowTheOrderOfTheExchanges, "in the order of the exchanges");
        RewardModelContract whitened = reward(batch -> {
            double mean = Arrays.stream(lengths(batch)).average().orElse(0);
            return Arrays.stream(lengths(batch)).map(s -> s - mean).toArray();
        });
        assertFails(whitened, RewardModelContract::batchMatesDoNotChangeAScore, "same score alone");
        assertFails(reward(tokenRewards(1)), RewardModelContract::tokenRewardsAddUpToTheScore, "must add up");
        assertFails(reward(tokenRewards(0)), RewardModelContract::tokenRewardsAddUpToTheScore, "per response token");
    }

    /** Pays the score with each token, or has no token. */
    private static RewardModel tokenRewards(int each) {
        return new RewardModel() {
            @Override
            public double[] score(List<Exchange> batch) {
                return lengths(batch);
            }

            @Override
            public double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
                double[][] rewards = new double[batch.size()][];
                for (int i = 0; i < rewards.length; i++) {
                    rewards[i] = new double[each * responses.get(i).length()];
                    Arrays.fill(rewards[i], lengths(batch)[i]);
                }
                return rewards;
            }
        };
    }
}
