package io.github.rlhf4j.ppo.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.random.RandomKey;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The equations of motion, by hand and in another form, and when an episode is over. */
class CartPoleTest {

    private static final double EXACT = 1e-12;

    private final CartPole cartPole = new CartPole();

    /**
     * At rest and upright sin θ = 0 and cos θ = 1. Pushed by 10 N: 10/1.1 = 100/11; θ̈ = −(100/11)/(½·(4/3 − 1/11)) =
     * −600/41; ẍ = 100/11 + 0.05·(600/41)/1.1 = 400/41. One step of 0.02 s from rest gives the velocities 8/41 and −12/41 and
     * moves nothing yet; pushed back by as much, both velocities are gone and the first step's have moved cart and pole.
     */
    @Test
    void twoStepsByHand() {
        cartPole.start(0, 0, 0, 0);
        assertThat(cartPole.step(1).observation())
                .containsExactly(new double[] {0, 8 / 41.0, 0, -12 / 41.0}, offset(EXACT));
        assertThat(cartPole.step(0).observation())
                .containsExactly(new double[] {0.16 / 41, 0, -0.24 / 41, 0}, offset(EXACT));
    }

    /**
     * Whatever the state, the accelerations of a step solve Lagrange's equations of cart and uniform pole, in which they
     * are still coupled: 1.1·ẍ + 0.05·θ̈·cos θ − 0.05·θ̇²·sin θ = F and ½·(4/3)·θ̈ + ẍ·cos θ = 9.8·sin θ.
     */
    @Property(tries = 300)
    void accelerationsSolveLagrangesEquations(
            @ForAll @DoubleRange(min = -2, max = 2) double position,
            @ForAll @DoubleRange(min = -3, max = 3) double velocity,
            @ForAll @DoubleRange(min = -0.2, max = 0.2) double angle,
            @ForAll @DoubleRange(min = -3, max = 3) double angularVelocity,
            @ForAll @IntRange(max = 1) int action) {
        cartPole.start(position, velocity, angle, angularVelocity);
        double[] next = cartPole.step(action).observation();
        double acceleration = (next[1] - velocity) / 0.02;
        double angularAcceleration = (next[3] - angularVelocity) / 0.02;
        double force = action == 1 ? 10 : -10;
        assertThat(1.1 * acceleration
                        + 0.05 * angularAcceleration * Math.cos(angle)
                        - 0.05 * angularVelocity * angularVelocity * Math.sin(angle))
                .isCloseTo(force, offset(1e-9));
        assertThat(0.5 * 4 / 3 * angularAcceleration + acceleration * Math.cos(angle))
                .isCloseTo(9.8 * Math.sin(angle), offset(1e-9));
        assertThat(next[0]).isCloseTo(position + 0.02 * velocity, offset(EXACT));
        assertThat(next[2]).isCloseTo(angle + 0.02 * angularVelocity, offset(EXACT));
    }

    @Test
    void itTerminatesBeyondTheLimitsAndNotWithin() {
        double limit = Math.toRadians(12);
        assertThat(outcome(2.39, 0.6, 0, 0)).isEqualTo(Transition.Outcome.TERMINATED);
        assertThat(outcome(2.39, 0.4, 0, 0)).isEqualTo(Transition.Outcome.GOES_ON);
        assertThat(outcome(-2.39, -0.6, 0, 0)).isEqualTo(Transition.Outcome.TERMINATED);
        assertThat(outcome(0, 0, limit - 0.01, 0.6)).isEqualTo(Transition.Outcome.TERMINATED);
        assertThat(outcome(0, 0, limit - 0.01, 0.4)).isEqualTo(Transition.Outcome.GOES_ON);
        assertThat(outcome(0, 0, 0.01 - limit, -0.6)).isEqualTo(Transition.Outcome.TERMINATED);
    }

    private Transition.Outcome outcome(double position, double velocity, double angle, double angularVelocity) {
        cartPole.start(position, velocity, angle, angularVelocity);
        Transition transition = cartPole.step(0);
        assertThat(transition.reward()).isEqualTo(1);
        return transition.outcome();
    }

    /** Pushing to where the pole falls keeps it up. */
    @Test
    void aBalancedPoleIsTruncatedAfter500Steps() {
        double[] observation = cartPole.reset(RandomKey.of(3));
        for (int step = 1; step < 500; step++) {
            Transition transition = cartPole.step(balancing(observation));
            assertThat(transition.outcome()).isEqualTo(Transition.Outcome.GOES_ON);
            observation = transition.observation();
        }
        assertThat(cartPole.step(balancing(observation)).outcome()).isEqualTo(Transition.Outcome.TRUNCATED);
        assertThatThrownBy(() -> cartPole.step(0)).hasMessageContaining("call reset before step");
    }

    private static int balancing(double[] state) {
        return 0.1 * state[0] + 0.2 * state[1] + state[2] + 0.5 * state[3] > 0 ? 1 : 0;
    }

    @Test
    void anEpisodeBeginsNearUprightByItsKeyAlone() {
        double[] first = cartPole.reset(RandomKey.of(1));
        assertThat(first).hasSize(4).doesNotHaveDuplicates();
        assertThat(cartPole.reset(RandomKey.of(2))).isNotEqualTo(first);
        assertThat(cartPole.reset(RandomKey.of(1))).isEqualTo(first);
        double largest = 0;
        for (int i = 0; i < 200; i++) {
            for (double number : cartPole.reset(RandomKey.of(i))) {
                largest = Math.max(largest, Math.abs(number));
            }
        }
        assertThat(largest).isBetween(0.049, 0.05);
    }

    @Test
    void otherActionsAreRefused() {
        cartPole.reset(RandomKey.of(1));
        assertThatThrownBy(() -> cartPole.step(2)).hasMessage("CartPole has the actions 0 (left) and 1 (right), got 2");
    }
}
