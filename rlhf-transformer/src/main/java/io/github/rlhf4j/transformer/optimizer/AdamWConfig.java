package io.github.rlhf4j.transformer.optimizer;

/**
 * Settings of {@link AdamW}.
 *
 * @param beta1 decay of the first moment, in [0, 1); 0.9
 * @param beta2 decay of the second moment, in [0, 1); 0.95 (GPT-3, appendix B)
 * @param epsilon added outside the root, &gt; 0; 1e-8, for PPO 1e-5
 * @param weightDecay decoupled (Loshchilov and Hutter 2019), on matrices only, ≥ 0; 0.1 (GPT-3)
 * @param maxGradientNorm global L2 norm the gradient is scaled down to, &gt; 0; 1.0 (GPT-3)
 */
public record AdamWConfig(double beta1, double beta2, double epsilon, double weightDecay, double maxGradientNorm) {

    public AdamWConfig {
        require(beta1 >= 0 && beta1 < 1, "beta1 must lie in [0, 1)", beta1);
        require(beta2 >= 0 && beta2 < 1, "beta2 must lie in [0, 1)", beta2);
        require(epsilon > 0, "epsilon must be positive", epsilon);
        require(weightDecay >= 0, "weightDecay must be ≥ 0", weightDecay);
        require(maxGradientNorm > 0, "maxGradientNorm must be positive (infinity for no clipping)", maxGradientNorm);
    }

    private static void require(boolean rule, String message, double value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /** GPT-3's settings (Brown et al. 2020, appendix B). */
    public static AdamWConfig gpt3() {
        return new AdamWConfig(0.9, 0.95, 1e-8, 0.1, 1.0);
    }

    /** For policy optimisation: ε 1e-5 (Ziegler et al. 2019) and no decay towards zero, which is not the reference. */
    public static AdamWConfig policyOptimization() {
        return new AdamWConfig(0.9, 0.95, 1e-5, 0.0, 1.0);
    }

    public AdamWConfig withBeta2(double value) {
        return new AdamWConfig(beta1, value, epsilon, weightDecay, maxGradientNorm);
    }

    public AdamWConfig withWeightDecay(double value) {
        return new AdamWConfig(beta1, beta2, epsilon, value, maxGradientNorm);
    }
}
