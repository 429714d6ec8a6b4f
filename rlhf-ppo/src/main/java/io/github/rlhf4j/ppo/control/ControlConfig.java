package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;

/**
 * All settings of a control run; see {@link #cartPole}.
 *
 * @param iterations rollouts, each followed by its updates, ≥ 1
 * @param environments N, played side by side, ≥ 1
 * @param horizon T, steps of each environment in a rollout, ≥ 1
 * @param epochs K, passes over each rollout, ≥ 1
 * @param minibatch M, steps of an update; divides N·T exactly
 * @param advantages how rewards become advantages
 * @param policyLoss the clipped surrogate
 * @param valueLoss the value function's loss
 * @param entropyCoefficient ≥ 0
 * @param rate learning rate of both networks by iteration, the first being 0
 * @param gradientLimit largest L2 norm of a network's gradient, &gt; 0
 * @param seed of all randomness
 */
public record ControlConfig(
        int iterations,
        int environments,
        int horizon,
        int epochs,
        int minibatch,
        AdvantageSettings advantages,
        ClippedPolicyLoss policyLoss,
        ClippedValueLoss valueLoss,
        double entropyCoefficient,
        LearningRateSchedule rate,
        double gradientLimit,
        long seed) {

    public ControlConfig {
        requireAtLeastOne("iterations", iterations);
        requireAtLeastOne("environments", environments);
        requireAtLeastOne("horizon", horizon);
        requireAtLeastOne("epochs", epochs);
        new BatchPlan(environments * horizon, minibatch);
        require(
                entropyCoefficient >= 0 && Double.isFinite(entropyCoefficient),
                "entropyCoefficient must be ≥ 0 and finite",
                entropyCoefficient);
        require(gradientLimit > 0, "gradientLimit must be > 0", gradientLimit);
    }

    /** For {@link CartPole}. */
    public static ControlConfig cartPole(long seed) {
        return cartPole(50, 2048, 8, 10, 64, 0.99, 0.95, 0.2, 0, 3e-4, seed);
    }

    /** Steps of all environments in a rollout, N·T. */
    public int rolloutSteps() {
        return environments * horizon;
    }

    public static ControlConfig cartPole(
            int it,
            int steps,
            int n,
            int k,
            int m,
            double gamma,
            double lambda,
            double clip,
            double ent,
            double lr,
            long seed) {
        return new ControlConfig(
                it,
                n,
                steps / n,
                k,
                m,
                AdvantageSettings.defaults().withGamma(gamma).withLambda(lambda),
                new ClippedPolicyLoss(clip),
                new ClippedValueLoss(0),
                ent,
                new LearningRateSchedule.WarmupLinear(lr, 0, it),
                0.5,
                seed);
    }

    private static void requireAtLeastOne(String name, int value) {
        require(value >= 1, name + " must be at least 1", value);
    }

    private static void require(boolean rule, String message, double value) {
        if (!rule) {
            throw new IllegalArgumentException(message + " in a control run, got " + value);
        }
    }
}
