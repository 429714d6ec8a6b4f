package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;

/**
 * All settings of a control run. Defaults are those of Schulman et al. 2017, Table 3, where nothing else is cited.
 *
 * @param iterations rollouts, each followed by its updates, ≥ 1
 * @param environments N, played side by side, ≥ 1; default 8
 * @param horizon T, steps of each environment in a rollout, ≥ 1; default 256, so that N·T is the paper's 2,048
 * @param epochs K, passes over each rollout, ≥ 1; default 10
 * @param minibatch M, steps of an update; divides N·T exactly; default 64
 * @param advantages how rewards become advantages; default γ 0.99, λ 0.95, whitened over the rollout
 * @param policyLoss the clipped surrogate; default 0.2 both ways
 * @param valueLoss the value function's loss; default not clipped
 * @param entropyCoefficient ≥ 0; default 0
 * @param rate learning rate of both networks by iteration, the first being 0; default from 3e-4 linearly to 0 (Huang et
 *     al. 2022, "The 37 implementation details of proximal policy optimization", detail 4)
 * @param gradientLimit largest L2 norm of a network's gradient, &gt; 0; default 0.5 (Huang et al. 2022, detail 11)
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
        requireDivides(minibatch, environments * horizon);
        require(
                entropyCoefficient >= 0 && Double.isFinite(entropyCoefficient),
                "entropyCoefficient must be ≥ 0 and finite (0 is off)",
                entropyCoefficient);
        require(gradientLimit > 0, "gradientLimit must be > 0", gradientLimit);
    }

    /** The defaults. */
    public static ControlConfig of(int iterations, long seed) {
        requireAtLeastOne("iterations", iterations);
        return new ControlConfig(
                iterations,
                8,
                256,
                10,
                64,
                AdvantageSettings.defaults().withGamma(0.99),
                new ClippedPolicyLoss(0.2),
                new ClippedValueLoss(0),
                0,
                new LearningRateSchedule.WarmupLinear(3e-4, 0, iterations),
                0.5,
                seed);
    }

    /** Other numbers of environments, of their steps in a rollout, and of the steps in an update. */
    public ControlConfig withRollout(int newEnvironments, int newHorizon, int newMinibatch) {
        return new ControlConfig(
                iterations,
                newEnvironments,
                newHorizon,
                epochs,
                newMinibatch,
                advantages,
                policyLoss,
                valueLoss,
                entropyCoefficient,
                rate,
                gradientLimit,
                seed);
    }

    public ControlConfig withAdvantages(AdvantageSettings settings) {
        return new ControlConfig(
                iterations,
                environments,
                horizon,
                epochs,
                minibatch,
                settings,
                policyLoss,
                valueLoss,
                entropyCoefficient,
                rate,
                gradientLimit,
                seed);
    }

    public ControlConfig withRate(LearningRateSchedule schedule) {
        return new ControlConfig(
                iterations,
                environments,
                horizon,
                epochs,
                minibatch,
                advantages,
                policyLoss,
                valueLoss,
                entropyCoefficient,
                schedule,
                gradientLimit,
                seed);
    }

    /** Steps of all environments in a rollout, N·T. */
    public int rolloutSteps() {
        return environments * horizon;
    }

    private static void requireAtLeastOne(String name, int value) {
        require(value >= 1, name + " must be at least 1", value);
    }

    private static void require(boolean rule, String message, Number value) {
        if (!rule) {
            throw new IllegalArgumentException(message + " in a control run, got " + value);
        }
    }

    private static void requireDivides(int minibatch, int rollout) {
        if (minibatch < 1 || rollout % minibatch != 0) {
            throw new IllegalArgumentException(
                    "the minibatch must divide the steps of a rollout, environments · horizon,"
                            + " exactly, got minibatch " + minibatch + " and " + rollout
                            + " steps; choose a divisor of "
                            + rollout);
        }
    }
}
