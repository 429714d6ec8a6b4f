package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.math.MissingStop;

/**
 * All settings of a PPO run. Defaults are the papers', cited where they stand; what has no sensible default is asked for
 * by {@link #of}.
 *
 * @param iterations rollouts, each followed by its updates, ≥ 1
 * @param batches sequences per rollout and update
 * @param microBatchTokens the most tokens, prompts and responses together, in one pass through a model, ≥ 1; a longer
 *     sequence goes alone. Memory and speed depend on it, the result only by rounding; default 4,096
 * @param epochs passes over each rollout; default 4 (lm-human-preferences {@code ppo.noptepochs}; InstructGPT: 1)
 * @param sampling how responses are drawn: the exact policy at a temperature, no top-k, top-p or penalty
 * @param rewards how scores become rewards
 * @param advantages how rewards become advantages
 * @param losses what an update minimises
 * @param policyRate learning rate of the policy (and of a shared trunk) by iteration, the first being 0; default linear
 *     from 1e-5 to 0 over the iterations (lm-human-preferences {@code launch.py})
 * @param valueRate learning rate of a separate value function by iteration; default as the policy's
 * @param guards when a run stops with a diagnosis
 * @param seed of all randomness
 */
public record PpoConfig(
        int iterations,
        BatchPlan batches,
        int microBatchTokens,
        int epochs,
        Sampling sampling,
        RewardSettings rewards,
        AdvantageSettings advantages,
        LossSettings losses,
        LearningRateSchedule policyRate,
        LearningRateSchedule valueRate,
        GuardSettings guards,
        long seed) {

    public PpoConfig {
        requireAtLeastOne("iterations", iterations);
        requireAtLeastOne("microBatchTokens", microBatchTokens);
        requireAtLeastOne("epochs", epochs);
        requireExact(sampling);
        requireStoppable(sampling, rewards.missingStop());
        if (losses.valueWarmup() >= iterations) {
            throw new IllegalArgumentException(
                    "a valueWarmup of " + losses.valueWarmup() + " iterations leaves none of the " + iterations
                            + " of the run to train the policy in; configure fewer, or a longer run");
        }
    }

    /** The defaults, around what each task must say for itself. */
    public static PpoConfig of(int iterations, BatchPlan batches, Sampling sampling, long seed) {
        requireAtLeastOne("iterations", iterations);
        LearningRateSchedule rate = new LearningRateSchedule.WarmupLinear(1e-5, 0, iterations);
        return new PpoConfig(
                iterations,
                batches,
                4096,
                4,
                sampling,
                sampling.stopTokens().isEmpty() && sampling.stopStrings().isEmpty()
                        ? RewardSettings.defaults().withMissingStop(new MissingStop.Keep())
                        : RewardSettings.defaults(),
                AdvantageSettings.defaults(),
                LossSettings.defaults(),
                rate,
                rate,
                GuardSettings.defaults(),
                seed);
    }

    public PpoConfig withMicroBatchTokens(int tokens) {
        return new PpoConfig(
                iterations,
                batches,
                tokens,
                epochs,
                sampling,
                rewards,
                advantages,
                losses,
                policyRate,
                valueRate,
                guards,
                seed);
    }

    public PpoConfig withEpochs(int count) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                count,
                sampling,
                rewards,
                advantages,
                losses,
                policyRate,
                valueRate,
                guards,
                seed);
    }

    public PpoConfig withRewards(RewardSettings settings) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                epochs,
                sampling,
                settings,
                advantages,
                losses,
                policyRate,
                valueRate,
                guards,
                seed);
    }

    public PpoConfig withAdvantages(AdvantageSettings settings) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                settings,
                losses,
                policyRate,
                valueRate,
                guards,
                seed);
    }

    public PpoConfig withLosses(LossSettings settings) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                advantages,
                settings,
                policyRate,
                valueRate,
                guards,
                seed);
    }

    public PpoConfig withRates(LearningRateSchedule policy, LearningRateSchedule value) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                advantages,
                losses,
                policy,
                value,
                guards,
                seed);
    }

    public PpoConfig withGuards(GuardSettings settings) {
        return new PpoConfig(
                iterations,
                batches,
                microBatchTokens,
                epochs,
                sampling,
                rewards,
                advantages,
                losses,
                policyRate,
                valueRate,
                settings,
                seed);
    }

    private static void requireAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " of a PPO run must be at least 1, got " + value);
        }
    }

    private static void requireExact(Sampling sampling) {
        if (!sampling.isExact()) {
            throw new IllegalArgumentException("PPO must sample from the exact policy: temperature > 0, topK 0, topP 1,"
                    + " repetitionPenalty 1; got " + sampling + ". Tokens drawn from a truncated distribution are more"
                    + " likely than the policy says, so ratios are wrong from the first update and the KL to the"
                    + " reference comes out negative, which PPO then maximises. Use Sampling.exact(maxNewTokens,"
                    + " temperature, stopTokens); truncate when you generate for people");
        }
    }

    private static void requireStoppable(Sampling sampling, MissingStop rule) {
        if (sampling.stopTokens().isEmpty()
                && sampling.stopStrings().isEmpty()
                && !(rule instanceof MissingStop.Keep)) {
            throw new IllegalArgumentException("with no stop token no response can stop, and the rule " + rule
                    + " would change the score of every one; name stop tokens in the sampling, or use MissingStop.Keep"
                    + " for responses of fixed length");
        }
    }
}
