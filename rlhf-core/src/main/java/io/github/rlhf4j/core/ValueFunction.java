package io.github.rlhf4j.core;

/** An estimate of the reward still to come: V(prompt, response tokens so far). */
public interface ValueFunction {

    /** V(s_t) for each scored token t, s_t being everything before it; one row per sequence, reward units. */
    double[][] values(SequenceBatch batch);
}
