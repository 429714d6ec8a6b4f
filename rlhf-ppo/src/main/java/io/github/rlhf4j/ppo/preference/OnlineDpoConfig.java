package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.PairLoss;

/**
 * How a policy is trained on preferences between its own responses.
 *
 * @param iterations rollouts, each followed by its updates, ≥ 1
 * @param batches responses per rollout and update, both whole multiples of {@code samples}. An update takes one pair for each
 *     {@code samples} responses of it; where prompts gave no pair, a rollout has fewer updates, and its last one fewer pairs
 * @param samples responses per prompt, ≥ 2; 2 in the paper. Of more, the best and the worst make the pair
 * @param microBatchTokens most tokens of a pass through a model, ≥ 1; the two responses of a pair stay together; default 4,096
 * @param epochs passes over each rollout's pairs, ≥ 1; default 1, so that what is learned from is nearly the policy's own
 * @param sampling how responses are drawn: the exact policy at a temperature. Log-probs are under it
 * @param missingStop what an unstopped response scores, by which pairs are made; default as the reward model says (TRL's
 *     {@code missing_eos_penalty} is a {@link MissingStop.Penalty})
 * @param loss what is minimised, the mean over an update's pairs; default {@link DpoLoss} with β = 0.1 (TRL)
 * @param rate learning rate by iteration, the first being 0; default 5e-7, constant (TRL's rate, which falls linearly there)
 * @param guards when a run stops with a diagnosis, and its KL budget; the approximate KL of an update has no limit here
 * @param seed of all randomness
 */
public record OnlineDpoConfig(
        int iterations,
        BatchPlan batches,
        int samples,
        int microBatchTokens,
        int epochs,
        Sampling sampling,
        MissingStop missingStop,
        PairLoss loss,
        LearningRateSchedule rate,
        GuardSettings guards,
        long seed) {

    public OnlineDpoConfig {
        requireAtLeastOne("iterations", iterations);
        requireAtLeastOne("microBatchTokens", microBatchTokens);
        requireAtLeastOne("epochs", epochs);
        if (samples < 2 || batches.rollout() % samples != 0 || batches.minibatch() % samples != 0) {
            throw new IllegalArgumentException("online DPO compares at least 2 responses to a prompt, and rollout and"
                    + " minibatch hold all responses of their prompts; got " + samples
                    + " responses to a prompt, a rollout"
                    + " of " + batches.rollout() + " and minibatches of " + batches.minibatch());
        }
        if (!sampling.isExact()) {
            throw new IllegalArgumentException(
                    "online DPO measures the KL on its samples, which must be of the exact policy:"
                            + " temperature > 0, topK 0, topP 1, repetitionPenalty 1; got " + sampling
                            + ". Use Sampling.exact(…)");
        }
        if (guards.approximateKlLimit() > 0) {
            throw new IllegalArgumentException("approximateKlLimit is a limit of policy-gradient updates, got "
                    + guards.approximateKlLimit() + "; bound online DPO by GuardSettings.withKlBudget");
        }
    }

    private static void requireAtLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " of online DPO must be at least 1, got " + value);
        }
    }

    /** The defaults, two responses to a prompt, around what each task must say for itself. */
    public static OnlineDpoConfig of(int iterations, BatchPlan batches, Sampling sampling, long seed) {
        return new OnlineDpoConfig(
                iterations,
                batches,
                2,
                4096,
                1,
                sampling,
                new MissingStop.Keep(),
                new DpoLoss(0.1),
                new LearningRateSchedule.Constant(5e-7),
                GuardSettings.defaults(),
                seed);
    }

    public OnlineDpoConfig withSamples(int perPrompt) {
        return new OnlineDpoConfig(
                iterations,
                batches,
                perPrompt,
                microBatchTokens,
                epochs,
                sampling,
                missingStop,
                loss,
                rate,
                guards,
                seed);
    }

    public OnlineDpoConfig withMicroBatchTokens(int tokens) {
        return new OnlineDpoConfig(
                iterations, batches, samples, tokens, epochs, sampling, missingStop, loss, rate, guards, seed);
    }

    public OnlineDpoConfig withEpochs(int count) {
        return new OnlineDpoConfig(
                iterations, batches, samples, microBatchTokens, count, sampling, missingStop, loss, rate, guards, seed);
    }

    public OnlineDpoConfig withMissingStop(MissingStop rule) {
        return new OnlineDpoConfig(
                iterations, batches, samples, microBatchTokens, epochs, sampling, rule, loss, rate, guards, seed);
    }

    public OnlineDpoConfig withLoss(PairLoss newLoss) {
        return new OnlineDpoConfig(
                iterations,
                batches,
                samples,
                microBatchTokens,
                epochs,
                sampling,
                missingStop,
                newLoss,
                rate,
                guards,
                seed);
    }

    public OnlineDpoConfig withRate(LearningRateSchedule schedule) {
        return new OnlineDpoConfig(
                iterations,
                batches,
                samples,
                microBatchTokens,
                epochs,
                sampling,
                missingStop,
                loss,
                schedule,
                guards,
                seed);
    }

    public OnlineDpoConfig withGuards(GuardSettings settings) {
        return new OnlineDpoConfig(
                iterations,
                batches,
                samples,
                microBatchTokens,
                epochs,
                sampling,
                missingStop,
                loss,
                rate,
                settings,
                seed);
    }
}
