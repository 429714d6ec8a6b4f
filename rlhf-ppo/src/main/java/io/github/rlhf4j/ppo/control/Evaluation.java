package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;

/**
 * What episodes of a policy return.
 *
 * @param returns of each episode, reward units
 */
public record Evaluation(double[] returns) {

    /** How actions are chosen. */
    public enum Actions {
        /** Drawn from the policy, as in training. */
        DRAWN,
        /** The most likely one. */
        BEST
    }

    /**
     * Plays episodes.
     *
     * @param episodes number of them, ≥ 1
     * @param key of starts and draws; take one that training did not use
     */
    public static Evaluation of(
            ControlPolicy policy, Environment environment, Actions actions, int episodes, RandomKey key) {
        double[] returns = new double[episodes];
        for (int i = 0; i < episodes; i++) {
            returns[i] = play(policy, environment, actions, key.child(i));
        }
        return new Evaluation(returns);
    }

    private static double play(ControlPolicy policy, Environment environment, Actions actions, RandomKey key) {
        double[] observation = environment.reset(key.child("start"));
        RandomKey draws = key.child("actions");
        double sum = 0;
        boolean ended = false;
        for (int t = 0; !ended; t++) {
            int action = actions == Actions.BEST
                    ? policy.bestAction(observation)
                    : policy.draw(observation, draws.child(t).uniform());
            Transition transition = environment.step(action);
            observation = transition.observation();
            sum += transition.reward();
            ended = transition.ended();
        }
        return sum;
    }

    /** Mean return. */
    public double mean() {
        return Arrays.stream(returns).average().orElseThrow();
    }
}
