package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;

/**
 * How a policy is trained on preferences.
 *
 * @param epochs passes over the examples, ≥ 1
 * @param batchSize pairs (or judged responses) per update, ≥ 1; 64 in the paper. The last update of a run may have fewer
 * @param loss what is minimised, the mean over a batch; {@link DpoLoss} with β = 0.1 in the paper
 * @param referenceScoring when the reference policy is asked
 * @param temperature τ that log-probs of policy and reference are under, &gt; 0; default 1, as the paper has it. What learns is the
 *     policy sampled at τ, which is what to ask for where answers are drawn at a low temperature later: trained at 1 and sampled at
 *     τ, the differences of its logits from the reference's are 1/τ as large as β allowed for
 * @param tooLong what happens to an example longer than the policy's context
 * @param microBatchTokens most tokens that go through a model at once, ≥ 1; the two responses of a pair stay together, and a
 *     longer pair goes alone. Changes memory and speed, not results beyond rounding
 * @param schedule learning rate by update; in the paper 1e-6 after 150 updates of linear warm-up (with RMSprop). Clipping
 *     and moments are the policy's optimiser's
 * @param evaluateEvery updates between evaluations on held-out examples, the last update included; 0 never evaluates
 * @param seed of the order of the examples
 */
public record DpoConfig(
        int epochs,
        int batchSize,
        PreferenceLoss loss,
        ReferenceScoring referenceScoring,
        double temperature,
        TooLong tooLong,
        int microBatchTokens,
        LearningRateSchedule schedule,
        int evaluateEvery,
        long seed) {

    /** When the reference policy scores the examples. */
    public enum ReferenceScoring {
        /**
         * All of them once, before the first update. The reference is not asked again, so it needs no memory while the
         * policy learns, and none of its own where it is what the policy begins as. Checkpoints keep the scores.
         */
        PRECOMPUTED,
        /** Each batch when its turn comes. Nothing has to be stored; each epoch asks again. */
        EACH_STEP
    }

    /** What to do with an example longer than the context. */
    public enum TooLong {
        /** Refuse the data, naming the first such response. */
        REJECT,
        /** Leave the example out. */
        DROP,
        /** Cut the end of a response off; where nothing of it is left, the example is left out. */
        TRUNCATE_END
    }

    private static final double RATE = 1e-6;
    private static final long WARMUP = 150;

    public DpoConfig {
        requireAtLeast(1, "epochs", epochs);
        requireAtLeast(1, "batchSize", batchSize);
        requireAtLeast(1, "microBatchTokens", microBatchTokens);
        requireAtLeast(0, "evaluateEvery", evaluateEvery);
        if (!(temperature > 0) || Double.isInfinite(temperature)) {
            throw new IllegalArgumentException("temperature of training on preferences must be > 0 and finite, got "
                    + temperature + "; 1 is the policy as it is");
        }
    }

    private static void requireAtLeast(int least, String name, int value) {
        if (value < least) {
            throw new IllegalArgumentException(
                    name + " of training on preferences must be at least " + least + ", got " + value);
        }
    }

    /**
     * The settings of the paper (Rafailov et al. 2023, §4 and appendix B), but for its optimiser, which is the policy's
     * own. Examples that are too long are refused, the reference scores in advance.
     */
    public static DpoConfig defaults(int epochs, long seed) {
        return new DpoConfig(
                epochs,
                64,
                new DpoLoss(0.1),
                ReferenceScoring.PRECOMPUTED,
                1,
                TooLong.REJECT,
                8192,
                new LearningRateSchedule.WarmupCosine(RATE, RATE, WARMUP, WARMUP),
                50,
                seed);
    }

    /** Updates in all, for so many examples. */
    public long totalSteps(int examples) {
        return ((long) epochs * examples + batchSize - 1) / batchSize;
    }

    public DpoConfig withBatchSize(int examples) {
        return new DpoConfig(
                epochs,
                examples,
                loss,
                referenceScoring,
                temperature,
                tooLong,
                microBatchTokens,
                schedule,
                evaluateEvery,
                seed);
    }

    public DpoConfig withLoss(PreferenceLoss newLoss) {
        return new DpoConfig(
                epochs,
                batchSize,
                newLoss,
                referenceScoring,
                temperature,
                tooLong,
                microBatchTokens,
                schedule,
                evaluateEvery,
                seed);
    }

    public DpoConfig withReferenceScoring(ReferenceScoring when) {
        return new DpoConfig(
                epochs, batchSize, loss, when, temperature, tooLong, microBatchTokens, schedule, evaluateEvery, seed);
    }

    public DpoConfig withTemperature(double tau) {
        return new DpoConfig(
                epochs,
                batchSize,
                loss,
                referenceScoring,
                tau,
                tooLong,
                microBatchTokens,
                schedule,
                evaluateEvery,
                seed);
    }

    public DpoConfig withTooLong(TooLong policy) {
        return new DpoConfig(
                epochs,
                batchSize,
                loss,
                referenceScoring,
                temperature,
                policy,
                microBatchTokens,
                schedule,
                evaluateEvery,
                seed);
    }

    public DpoConfig withMicroBatchTokens(int tokens) {
        return new DpoConfig(
                epochs, batchSize, loss, referenceScoring, temperature, tooLong, tokens, schedule, evaluateEvery, seed);
    }

    public DpoConfig withSchedule(LearningRateSchedule newSchedule) {
        return new DpoConfig(
                epochs,
                batchSize,
                loss,
                referenceScoring,
                temperature,
                tooLong,
                microBatchTokens,
                newSchedule,
                evaluateEvery,
                seed);
    }

    public DpoConfig withEvaluateEvery(int steps) {
        return new DpoConfig(
                epochs,
                batchSize,
                loss,
                referenceScoring,
                temperature,
                tooLong,
                microBatchTokens,
                schedule,
                steps,
                seed);
    }
}
