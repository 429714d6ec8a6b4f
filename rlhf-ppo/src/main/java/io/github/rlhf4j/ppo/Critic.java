package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.TrainableValueFunction;

/** Where the value function lives. */
public sealed interface Critic {

    /** A model of its own, for InstructGPT initialised from the reward model; it has its own optimiser and rate. */
    static Critic separate(TrainableValueFunction valueFunction) {
        return new Separate(valueFunction);
    }

    /** A head on the policy's trunk: the policy is an {@link io.github.rlhf4j.core.ActorCritic} (Ziegler et al. 2019). */
    static Critic sharedTrunk() {
        return new SharedTrunk();
    }

    /** See {@link #separate}. */
    record Separate(TrainableValueFunction valueFunction) implements Critic {}

    /** See {@link #sharedTrunk}. */
    record SharedTrunk() implements Critic {}
}
