package io.github.rlhf4j.transformer.training;

/**
 * How to pretrain.
 *
 * @param steps optimiser updates, ≥ 1
 * @param blockLength predicted tokens of a window, ≥ 1; a window has {@code blockLength + 1} tokens, which is what the
 *     model's context must hold
 * @param batchSize windows per update, ≥ 1
 * @param microBatchTokens the most tokens in one pass through the model, ≥ 1; memory and speed depend on it, the result
 *     only by rounding. A longer window is a pass of its own
 * @param order how windows are chosen
 * @param learningRate over the run
 * @param evaluateEvery steps between evaluations on held-out text, the last step included; 0 never evaluates
 * @param evaluationWindows the most held-out windows of an evaluation, evenly spaced; 0 takes all
 * @param zLoss what the mean of log² Z counts in the loss beside the cross-entropy, finite and ≥ 0; 0 for no z-loss, {@link
 *     #PALM_Z_LOSS} for PaLM's
 * @param seed of everything random in the run
 */
public record PretrainingConfig(
        long steps,
        int blockLength,
        int batchSize,
        int microBatchTokens,
        WindowOrder order,
        LearningRatePlan learningRate,
        int evaluateEvery,
        int evaluationWindows,
        double zLoss,
        long seed) {

    /** PaLM's coefficient (Chowdhery et al. 2022 §5). */
    public static final double PALM_Z_LOSS = 1e-4;

    /** How windows are chosen from the text. */
    public enum WindowOrder {
        /** Each window starts at a random token, all starts equally likely (nanoGPT). */
        RANDOM_OFFSETS,
        /** The text is cut into windows that predict each token once; each epoch cuts elsewhere and has its own order. */
        SHUFFLED_EPOCHS
    }

    public PretrainingConfig {
        Settings.require(steps >= 1, "steps must be at least 1", steps);
        Settings.require(blockLength >= 1, "blockLength must be at least 1", blockLength);
        Settings.require(batchSize >= 1, "batchSize must be at least 1", batchSize);
        Settings.require(microBatchTokens >= 1, "microBatchTokens must be at least 1", microBatchTokens);
        Settings.require(evaluateEvery >= 0, "evaluateEvery must be ≥ 0 (0 never evaluates)", evaluateEvery);
        Settings.require(evaluationWindows >= 0, "evaluationWindows must be ≥ 0 (0 takes all)", evaluationWindows);
        Settings.require(zLoss >= 0 && zLoss < Double.POSITIVE_INFINITY, "zLoss must be finite and ≥ 0", zLoss);
    }

    /**
     * GPT-3 Small's peak rate of 6e-4 and cosine down to a tenth (Brown et al. 2020, table 2.1 and appendix B), a warm-up of
     * 5 % of the steps (nanoGPT's small settings), windows in shuffled epochs, 32 to a batch.
     */
    public static PretrainingConfig defaults(long steps, int blockLength) {
        return new PretrainingConfig(
                steps,
                blockLength,
                32,
                4096,
                WindowOrder.SHUFFLED_EPOCHS,
                new LearningRatePlan(6e-4, 0.1, 0.05),
                100,
                64,
                0,
                0);
    }

    /**
     * nanoGPT's CPU setting for character-level Shakespeare: 2,000 steps of 12 windows of 64 at random offsets, peak 1e-3,
     * minimum 1e-4, 100 steps of warm-up (its README and {@code config/train_shakespeare_char.py}).
     */
    public static PretrainingConfig nanoGptShakespeare() {
        return new PretrainingConfig(
                2000,
                64,
                12,
                4096,
                WindowOrder.RANDOM_OFFSETS,
                new LearningRatePlan(1e-3, 0.1, 0.05),
                250,
                240,
                0,
                1337);
    }

    public PretrainingConfig withBatchSize(int windows) {
        return new PretrainingConfig(
                steps,
                blockLength,
                windows,
                microBatchTokens,
                order,
                learningRate,
                evaluateEvery,
                evaluationWindows,
                zLoss,
                seed);
    }

    public PretrainingConfig withMicroBatchTokens(int tokens) {
        return new PretrainingConfig(
                steps,
                blockLength,
                batchSize,
                tokens,
                order,
                learningRate,
                evaluateEvery,
                evaluationWindows,
                zLoss,
                seed);
    }

    public PretrainingConfig withOrder(WindowOrder newOrder) {
        return new PretrainingConfig(
                steps,
                blockLength,
                batchSize,
                microBatchTokens,
                newOrder,
                learningRate,
                evaluateEvery,
                evaluationWindows,
                zLoss,
                seed);
    }

    public PretrainingConfig withLearningRate(LearningRatePlan plan) {
        return new PretrainingConfig(
                steps,
                blockLength,
                batchSize,
                microBatchTokens,
                order,
                plan,
                evaluateEvery,
                evaluationWindows,
                zLoss,
                seed);
    }

    public PretrainingConfig withEvaluation(int everySteps, int windows) {
        return new PretrainingConfig(
                steps, blockLength, batchSize, microBatchTokens, order, learningRate, everySteps, windows, zLoss, seed);
    }

    public PretrainingConfig withZLoss(double coefficient) {
        return new PretrainingConfig(
                steps,
                blockLength,
                batchSize,
                microBatchTokens,
                order,
                learningRate,
                evaluateEvery,
                evaluationWindows,
                coefficient,
                seed);
    }

    public PretrainingConfig withSeed(long newSeed) {
        return new PretrainingConfig(
                steps,
                blockLength,
                batchSize,
                microBatchTokens,
                order,
                learningRate,
                evaluateEvery,
                evaluationWindows,
                zLoss,
                newSeed);
    }
}
