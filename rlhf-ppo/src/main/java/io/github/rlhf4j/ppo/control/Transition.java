package io.github.rlhf4j.ppo.control;

/**
 * What an action led to.
 *
 * @param observation of the new state, {@code [observationSize]}; also of one that ends the episode
 * @param reward of the action, finite
 * @param outcome whether the episode goes on
 */
public record Transition(double[] observation, double reward, Outcome outcome) {

    /** Whether an episode goes on. The two ways to end differ in what the last state is worth. */
    public enum Outcome {
        /** There are further steps. */
        GOES_ON,
        /** The task is over, in failure or success: nothing follows the last state, so its value is 0. */
        TERMINATED,
        /**
         * Only the clock stopped it: the task would go on from the last state, so its value is what the value function says
         * (Pardo et al. 2018, "Time limits in reinforcement learning").
         */
        TRUNCATED
    }

    public Transition {
        if (!Double.isFinite(reward)) {
            throw new IllegalArgumentException("a reward is a finite number, got " + reward);
        }
    }

    /** Whether this was the episode's last step. */
    public boolean ended() {
        return outcome != Outcome.GOES_ON;
    }
}
