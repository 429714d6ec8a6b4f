package io.github.rlhf4j.ppo.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.AdvantageSettings;
import org.junit.jupiter.api.Test;

class ControlTrainerTest {

    private static final RandomKey EVALUATION = RandomKey.of(2026);

    /** PPO with the paper's settings solves CartPole: 475 of 500 steps on average, actions drawn as in training. */
    @Test
    void cartPoleIsSolved() {
        try (ControlTrainer trainer = new ControlTrainer(ControlConfig.of(20, 1), CartPole::new)) {
            assertThat(averageReturn(trainer)).isLessThan(60);
            trainer.run();
            assertThat(averageReturn(trainer)).isGreaterThanOrEqualTo(475);
        }
    }

    private static double averageReturn(ControlTrainer trainer) {
        return Evaluation.of(trainer.policy(), new CartPole(), Evaluation.Actions.DRAWN, 100, EVALUATION)
                .mean();
    }

    private static ControlConfig oneUpdate(int environments, int horizon, AdvantageSettings.Divisor divisor) {
        ControlConfig config = ControlConfig.of(1, 1);
        return new ControlConfig(
                1,
                environments,
                horizon,
                1,
                environments * horizon,
                config.advantages().withDivisor(divisor),
                config.policyLoss(),
                config.valueLoss(),
                0,
                config.rate(),
                config.gradientLimit(),
                1);
    }

    /** Advantages of 8 steps are √(7/8) as large by divisor n − 1, and with them the policy's gradient. */
    @Test
    void advantagesAreWhitenedByTheDivisorAskedFor() {
        double byN = firstGradientNorm(oneUpdate(2, 4, AdvantageSettings.Divisor.N));
        double byNMinus1 = firstGradientNorm(oneUpdate(2, 4, AdvantageSettings.Divisor.N_MINUS_1));
        assertThat(byNMinus1 / byN).isCloseTo(Math.sqrt(7 / 8.0), within(1e-6));
    }

    private static double firstGradientNorm(ControlConfig config) {
        try (ControlTrainer trainer = new ControlTrainer(config, CartPole::new)) {
            return trainer.step().metric("ppo/gradient_norm");
        }
    }

    @Test
    void theFirstUpdateOfARolloutSeesRatiosOfOne() {
        ControlConfig oneEpoch = oneUpdate(2, 32, AdvantageSettings.Divisor.N);
        try (ControlTrainer trainer = new ControlTrainer(oneEpoch, CartPole::new)) {
            var report = trainer.step();
            assertThat(report.metric("ppo/approx_kl")).isLessThan(1e-20);
            assertThat(report.metric("ppo/clip_fraction")).isZero();
            assertThat(report.metric("ppo/policy_loss")).isBetween(-1e-6, 1e-6);
            assertThat(report.metric("objective/entropy")).isBetween(0.69, Math.log(2));
        }
    }

    @Test
    void settingsThatCannotBeAreRefused() {
        assertThatThrownBy(() -> ControlConfig.of(0, 1))
                .hasMessage("iterations must be at least 1 in a control run, got 0");
        assertThatThrownBy(() -> ControlConfig.of(1, 1).withRollout(3, 10, 7))
                .hasMessageContaining("got minibatch 7 and 30 steps; choose a divisor of 30");
    }

    @Test
    void aFinishedRunDoesNoMore() {
        try (ControlTrainer trainer = new ControlTrainer(ControlConfig.of(1, 1).withRollout(1, 4, 4), CartPole::new)) {
            trainer.step();
            assertThatThrownBy(trainer::step).hasMessageContaining("has done all of its 1 iterations");
        }
    }
}
