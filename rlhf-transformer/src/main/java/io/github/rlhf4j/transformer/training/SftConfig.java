package io.github.rlhf4j.transformer.training;

/**
 * How to fine-tune on demonstrations.
 *
 * @param epochs passes over the demonstrations, ≥ 1
 * @param batchSize demonstrations per update, ≥ 1; the last update of a run may have fewer
 * @param maxLength tokens a demonstration may have, ≥ 2: the model's context
 * @param tooLong what happens to a longer one
 * @param microBatchTokens as in {@link PretrainingConfig}
 * @param learningRate over the run
 * @param evaluateEvery steps between evaluations on held-out demonstrations, the last step included; 0 never evaluates
 * @param zLoss as in {@link PretrainingConfig}
 * @param seed of everything random in the run
 */
public record SftConfig(
        int epochs,
        int batchSize,
        int maxLength,
        TooLong tooLong,
        int microBatchTokens,
        LearningRatePlan learningRate,
        int evaluateEvery,
        double zLoss,
        long seed) {

    /** What to do with a demonstration longer than the context. */
    public enum TooLong {
        /** Refuse the data, naming the first such demonstration. */
        REJECT,
        /** Leave it out. */
        DROP,
        /** Cut its end off. What is left is trained on as it is; where that has no assistant token, it is left out. */
        TRUNCATE_END
    }

    public SftConfig {
        Settings.require(epochs >= 1, "epochs must be at least 1", epochs);
        Settings.require(batchSize >= 1, "batchSize must be at least 1", batchSize);
        Settings.require(maxLength >= 2, "maxLength must be at least 2", maxLength);
        Settings.require(microBatchTokens >= 1, "microBatchTokens must be at least 1", microBatchTokens);
        Settings.require(evaluateEvery >= 0, "evaluateEvery must be ≥ 0 (0 never evaluates)", evaluateEvery);
        Settings.require(zLoss >= 0 && zLoss < Double.POSITIVE_INFINITY, "zLoss must be finite and ≥ 0", zLoss);
    }

    /**
     * InstructGPT's (Ouyang et al. 2022, appendix C.1): batches of 32, rate 9.65e-6 with a cosine down to a tenth and no
     * warm-up. It trained 16 epochs, on a model far larger; small models want fewer epochs and a higher rate. Too long
     * demonstrations are cut, since what is left of one is still right.
     */
    public static SftConfig defaults(int epochs, int maxLength) {
        return new SftConfig(
                epochs, 32, maxLength, TooLong.TRUNCATE_END, 4096, new LearningRatePlan(9.65e-6, 0.1, 0), 100, 0, 0);
    }

    public SftConfig withBatchSize(int demonstrations) {
        return new SftConfig(
                epochs, demonstrations, maxLength, tooLong, microBatchTokens, learningRate, evaluateEvery, zLoss, seed);
    }

    public SftConfig withTooLong(TooLong policy) {
        return new SftConfig(
                epochs, batchSize, maxLength, policy, microBatchTokens, learningRate, evaluateEvery, zLoss, seed);
    }

    public SftConfig withMicroBatchTokens(int tokens) {
        return new SftConfig(epochs, batchSize, maxLength, tooLong, tokens, learningRate, evaluateEvery, zLoss, seed);
    }

    public SftConfig withLearningRate(LearningRatePlan plan) {
        return new SftConfig(epochs, batchSize, maxLength, tooLong, microBatchTokens, plan, evaluateEvery, zLoss, seed);
    }

    public SftConfig withEvaluateEvery(int steps) {
        return new SftConfig(epochs, batchSize, maxLength, tooLong, microBatchTokens, learningRate, steps, zLoss, seed);
    }

    public SftConfig withZLoss(double coefficient) {
        return new SftConfig(
                epochs,
                batchSize,
                maxLength,
                tooLong,
                microBatchTokens,
                learningRate,
                evaluateEvery,
                coefficient,
                seed);
    }

    public SftConfig withSeed(long newSeed) {
        return new SftConfig(
                epochs, batchSize, maxLength, tooLong, microBatchTokens, learningRate, evaluateEvery, zLoss, newSeed);
    }
}
