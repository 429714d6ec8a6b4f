package io.github.rlhf4j.ppo.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.GeneralizedAdvantages;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Advantages of rollouts in which episodes terminate, are truncated and go on, against a reference with flags. */
class ControlRolloutTest {

    private static final double GAMMA = 0.9;
    private static final double LAMBDA = 0.8;
    private static final int HORIZON = 23;
    private static final RandomKey KEY = RandomKey.of(11);

    /** What one environment did, as implementations with flags keep it. */
    private record Logged(double[] observation, Transition transition) {}

    /** Episodes of 1 to 6 steps that end one way or the other, all by their key; every step is logged. */
    private static final class Scripted implements Environment {

        private final List<Logged> log = new ArrayList<>();
        private RandomKey key = KEY;
        private double[] observation = {};
        private int steps;

        @Override
        public int observationSize() {
            return 2;
        }

        @Override
        public int actionCount() {
            return 2;
        }

        @Override
        public double[] reset(RandomKey newKey) {
            key = newKey;
            steps = 0;
            observation = new double[] {key.child("start").gaussian(), 0};
            return observation;
        }

        @Override
        public Transition step(int action) {
            steps++;
            boolean ends = steps == 1 + key.child("length").below(6);
            boolean truncates = key.child("way").uniform() < 0.5;
            Transition.Outcome outcome = !ends
                    ? Transition.Outcome.GOES_ON
                    : truncates ? Transition.Outcome.TRUNCATED : Transition.Outcome.TERMINATED;
            double[] next = {observation[0] + (action == 1 ? 0.3 : -0.3), steps};
            Transition transition =
                    new Transition(next, key.child("reward").child(steps).gaussian(), outcome);
            log.add(new Logged(observation, transition));
            observation = next;
            return transition;
        }
    }

    /** From the back, with a flag for each way to end: δ = r + γ·V(s′)·(not terminated) − V(s), carried while it goes on. */
    private static void putAdvantages(List<Logged> log, Mlp values, Map<double[], Double> into) {
        double next = 0;
        for (int t = log.size() - 1; t >= 0; t--) {
            Transition transition = log.get(t).transition();
            boolean terminated = transition.outcome() == Transition.Outcome.TERMINATED;
            double delta = transition.reward()
                    + GAMMA * (terminated ? 0 : value(values, transition.observation()))
                    - value(values, log.get(t).observation());
            next = delta + (transition.ended() ? 0 : GAMMA * LAMBDA * next);
            into.put(log.get(t).observation(), next);
        }
    }

    private static double value(Mlp values, double[] observation) {
        return values.output(new double[][] {observation})[0][0];
    }

    @Test
    void advantagesAreThoseOfTheReferenceWithFlags() {
        List<Scripted> environments = List.of(new Scripted(), new Scripted(), new Scripted());
        List<Player> players = new ArrayList<>();
        environments.forEach(e -> players.add(new Player(e, KEY.child(players.size()))));
        ControlPolicy policy = new ControlPolicy(Mlp.orthogonal(KEY.child("policy"), 1, 2, 4, 2));
        Mlp values = Mlp.orthogonal(KEY.child("values"), 2, 2, 4, 1);

        ControlRollout rollout = ControlRollout.play(players, policy, values, HORIZON, KEY.child("actions"));

        double[][] advantages = GeneralizedAdvantages.estimate(
                        rollout.rewards(), rollout.values(), rollout.lastValues(), GAMMA, LAMBDA)
                .advantages();
        Map<double[], Double> expected = new IdentityHashMap<>();
        environments.forEach(e -> putAdvantages(e.log, values, expected));
        int compared = 0;
        for (int i = 0; i < advantages.length; i++) {
            for (int t = 0; t < advantages[i].length; t++) {
                double[] observation = rollout.segments().get(i).steps().get(t).observation();
                assertThat(advantages[i][t]).isCloseTo(expected.get(observation), offset(1e-12));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(3 * HORIZON);
        assertThat(outcomes(environments).keySet()).containsExactlyInAnyOrder(Transition.Outcome.values());
    }

    private static Map<Transition.Outcome, Integer> outcomes(List<Scripted> environments) {
        Map<Transition.Outcome, Integer> counts = new HashMap<>();
        environments.forEach(
                e -> e.log.forEach(step -> counts.merge(step.transition().outcome(), 1, Integer::sum)));
        return counts;
    }

    @Test
    void returnsAreThoseOfTheEpisodesThatEnded() {
        Scripted environment = new Scripted();
        ControlPolicy policy = new ControlPolicy(Mlp.orthogonal(KEY, 1, 2, 4, 2));
        ControlRollout rollout = ControlRollout.play(
                List.of(new Player(environment, KEY)), policy, Mlp.orthogonal(KEY, 1, 2, 4, 1), HORIZON, KEY);
        List<Double> expected = new ArrayList<>();
        double sum = 0;
        for (Logged step : environment.log) {
            sum += step.transition().reward();
            if (step.transition().ended()) {
                expected.add(sum);
                sum = 0;
            }
        }
        assertThat(rollout.returns()).isEqualTo(expected).hasSizeGreaterThan(3);
    }
}
