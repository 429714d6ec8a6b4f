package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.math.GeneralizedAdvantages;
import io.github.rlhf4j.ppo.math.RewardShaping;

/**
 * What each token of a rollout is credited with: the arithmetic between what models say of it and what the losses take.
 *
 * @param rewards −β·K1 of each token, and the score: on the last one, unless the reward model says where it was earned; not
 *     whitened, reward units
 * @param advantages whitened when configured, without a correction's weights
 * @param returns the value function's targets, reward units
 */
record Credit(double[][] rewards, double[][] advantages, double[][] returns) {

    /** Of a rollout whose scores the state has seen. */
    static Credit of(
            RewardSettings rewardSettings,
            AdvantageSettings advantageSettings,
            RewardState state,
            Judgement judgement,
            boolean[] stopped) {
        double[][] counted = rewardSettings.counted(judgement.tokenScores(), stopped, state.moments());
        double[][] rewards = RewardShaping.perToken(counted, judgement.kl(), state.klCoefficient());
        GeneralizedAdvantages estimate = GeneralizedAdvantages.estimate(
                rewardSettings.whitened(rewards),
                judgement.values(),
                advantageSettings.gamma(),
                advantageSettings.lambda());
        return new Credit(rewards, advantageSettings.whitened(estimate.advantages()), estimate.returns());
    }
}
