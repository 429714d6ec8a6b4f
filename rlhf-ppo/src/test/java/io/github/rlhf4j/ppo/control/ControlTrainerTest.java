package io.github.rlhf4j.ppo.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.random.RandomKey;
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

    @Test
    void theFirstUpdateOfARolloutSeesRatiosOfOne() {
        ControlConfig config = ControlConfig.of(1, 1).withRollout(2, 32, 64);
        ControlConfig oneEpoch = new ControlConfig(
                1,
                2,
                32,
                1,
                64,
                config.advantages(),
                config.policyLoss(),
                config.valueLoss(),
                0.01,
                config.rate(),
                config.gradientLimit(),
                1);
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
