package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;

/**
 * All settings of a run without a value function.
 *
 * @param iterations rollouts, each followed by its updates, ≥ 1
 * @param batches sequences per rollout and update; the rollout holds whole groups
 * @param groupSize responses per prompt, ≥ 1 and enough for the algorithm's advantages
 * @param microBatchTokens the most tokens in one pass through a model, ≥ 1; default 4,096
 * @param epochs passes over each rollout; default 1
 * @param sampling how responses are drawn: the exact policy at a temperature
 * @param rewards how scores become rewards; default no KL in them, and scores as they are
 * @param algorithm which of the relatives
 * @param rate learning rate by iteration, the first being 0; default 1e-6, constant (Shao et al. 2024)
 * @param guards when a run stops with a diagnosis
 * @param seed of all randomness
 */
public record GroupConfig(
        int iterations,
        BatchPlan batches,
        int groupSize,
        int microBatchTokens,
        int epochs,
        Sampling sampling,
        RewardSettings rewards,
        GroupAlgorithm algorithm,
        LearningRateSchedule rate,
        GuardSettings guards,
        long seed) {

    public GroupConfig {
        requireAtLeastOne("iterations", iterations);
        requireAtLeastOne("microBatchTokens", microBatchTokens);
        requireAtLeastOne("epochs", epochs);
        int least = algorithm.advantages().leastGroup();
        if (groupSize < least || batches.rollout() % groupSize != 0) {
            throw new IllegalArgumentException("a rollout holds whole groups, of at least " + least + " responses for "
                    + algorithm.advantages() + "; got groups of " + groupSize + " and a rollout of "
                    + batches.rollout());
        }
        if (!sampling.isExact()) {
            throw new IllegalArgumentException(
                    "a policy gradient needs samples of the exact policy: temperature > 0, topK"
                            + " 0, topP 1, repetitionPenalty 1; got " + sampling + ". Use Sampling.exact(…)");
        }
        if (rewards.whiten()) {
            throw new IllegalArgumentException(
                    "rewards are not whitened where groups of them are compared: it would only"
                            + " rescale the KL against the score; leave RewardSettings.whiten off");
        }
    }

    /** The defaults, around what each task must say for itself. */
    public static GroupConfig of(
            int iterations, BatchPlan batches, int groupSize, Sampling sampling, GroupAlgorithm algorithm, long seed) {
        return new GroupConfig(
                iterations,
                batches,
                groupSize,
                4096,
                1,
                sampling,
                new RewardSettings(new KlController.Fixed(0), new MissingStop.Keep(), 0, false),
                algorithm,
                new LearningRateSchedule.Constant(1e-6),
                GuardSettings.defaults(),
                seed);
    }

    public GroupConfig withMicroBatchTokens(int tokens) {
        return new GroupConfig(
                iterations, batches, groupSize, tokens, epochs, sampling, rewards, algorithm, rate, guards, seed);
    }

    public GroupConfig withEpochs(int count) {
        return new GroupConfig(
                iterations,
                batches,
                groupSize,
                microBatchTokens,
                count,
                sampling,
                rewards,
                algorithm,
                rate,
                guards,
                seed);
    }

    public GroupConfig withRewards(RewardSettings settings) {
        return new GroupConfig(
                iterations,
                batches,
                groupSize,
                microBatchTokens,
                epochs,
                sampling,
                settings,
                algorithm,
                rate,
                guards,
                seed);
    }

    public GroupConfig withRate(LearningRateSchedule schedule) {
        return new GroupConfig(
                iterations,
                batches,
                groupSize,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                algorithm,
                schedule,
                guards,
                seed);
    }

    public GroupConfig withGuards(GuardSettings settings) {
        return new GroupConfig(
                iterations,
                batches,
                groupSize,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                algorithm,
                rate,
                settings,
                seed);
    }

    private static void requireAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }
}
