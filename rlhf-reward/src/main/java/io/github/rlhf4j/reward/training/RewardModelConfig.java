package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.reward.math.RankingLoss;

/**
 * How a reward model is trained.
 *
 * @param epochs passes over the rankings; 1 in InstructGPT (§3.5 and appendix C.2: it overfits quickly)
 * @param rankingsPerBatch at most this many prompts per update, each with all its comparisons; 64 in InstructGPT (C.2). An
 *     epoch is cut into updates as even as can be
 * @param schedule learning rate by update; InstructGPT (C.2): 9e-6, cosine to a tenth
 * @param loss of one ranking; the batch takes the mean
 * @param microBatchTokens most tokens that go through the model at once; a ranking is never split. Changes memory and
 *     speed, not results beyond rounding
 * @param validateEvery updates between two evaluations on the validation rankings, if there are any; the last update is
 *     always followed by one
 * @param seed of the order of the rankings
 */
public record RewardModelConfig(
        int epochs,
        int rankingsPerBatch,
        LearningRateSchedule schedule,
        RankingLoss loss,
        int microBatchTokens,
        int validateEvery,
        long seed) {

    private static final int INSTRUCT_GPT_BATCH = 64;

    public RewardModelConfig {
        requirePositive("epochs", epochs);
        requirePositive("rankingsPerBatch", rankingsPerBatch);
        requirePositive("microBatchTokens", microBatchTokens);
        requirePositive("validateEvery", validateEvery);
    }

    private static void requirePositive(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " of a reward model's training must be at least 1, got " + value);
        }
    }

    /**
     * The setting of InstructGPT (Ouyang et al. 2022, §3.5 and appendix C.2) for so many rankings.
     *
     * @param rankings size of the dataset, for the end of the cosine
     */
    public static RewardModelConfig instructGpt(int rankings, long seed) {
        long steps = stepsPerEpoch(rankings, INSTRUCT_GPT_BATCH);
        return new RewardModelConfig(
                1,
                INSTRUCT_GPT_BATCH,
                new LearningRateSchedule.WarmupCosine(9e-6, 9e-7, 0, steps),
                RankingLoss.instructGpt(),
                8192,
                50,
                seed);
    }

    /** Updates in all, for a dataset of so many rankings. */
    public long totalSteps(int rankings) {
        return (long) epochs * stepsPerEpoch(rankings, rankingsPerBatch);
    }

    static int stepsPerEpoch(int rankings, int batch) {
        return Math.max(0, rankings - 1) / batch + 1;
    }

    public RewardModelConfig withEpochs(int newEpochs) {
        return new RewardModelConfig(
                newEpochs, rankingsPerBatch, schedule, loss, microBatchTokens, validateEvery, seed);
    }

    public RewardModelConfig withRankingsPerBatch(int newRankingsPerBatch) {
        return new RewardModelConfig(
                epochs, newRankingsPerBatch, schedule, loss, microBatchTokens, validateEvery, seed);
    }

    public RewardModelConfig withSchedule(LearningRateSchedule newSchedule) {
        return new RewardModelConfig(
                epochs, rankingsPerBatch, newSchedule, loss, microBatchTokens, validateEvery, seed);
    }

    public RewardModelConfig withLoss(RankingLoss newLoss) {
        return new RewardModelConfig(
                epochs, rankingsPerBatch, schedule, newLoss, microBatchTokens, validateEvery, seed);
    }

    public RewardModelConfig withMicroBatchTokens(int newMicroBatchTokens) {
        return new RewardModelConfig(
                epochs, rankingsPerBatch, schedule, loss, newMicroBatchTokens, validateEvery, seed);
    }

    public RewardModelConfig withValidateEvery(int newValidateEvery) {
        return new RewardModelConfig(
                epochs, rankingsPerBatch, schedule, loss, microBatchTokens, newValidateEvery, seed);
    }
}
