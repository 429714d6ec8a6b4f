package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.core.random.RandomKey;

/**
 * A task for control: it shows observations, takes one of finitely many actions at each step, and pays. One episode at a
 * time; used by one thread.
 *
 * <p>What it shows and pays is a function of the key of {@link #reset} and of the actions since. That is what makes a run
 * reproducible, and how a resumed run gets back into the middle of an episode: by the same key and the same actions.
 *
 * <p>Each observation is finite and an array of its own, which is the caller's: it is neither written to nor read again. Whatever
 * the actions are, an episode ends after finitely many. {@code EnvironmentContract} of rlhf-testkit tests all this.
 */
public interface Environment {

    /** Numbers in an observation, ≥ 1. */
    int observationSize();

    /** Number of actions, ≥ 2. */
    int actionCount();

    /**
     * Begins an episode; one that has not ended is given up.
     *
     * @param key of all the episode's randomness
     * @return the first observation, {@code [observationSize]}
     */
    double[] reset(RandomKey key);

    /**
     * Takes an action.
     *
     * @param action in {@code [0, actionCount)}
     * @throws IllegalArgumentException when there is no such action
     * @throws IllegalStateException when no episode is under way
     */
    Transition step(int action);
}
