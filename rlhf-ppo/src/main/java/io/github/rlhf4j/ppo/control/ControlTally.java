package io.github.rlhf4j.ppo.control;

import io.github.rlhf4j.ppo.internal.PolicyTally;

/** Adds up what the updates on one rollout did to policy and value function. */
final class ControlTally extends PolicyTally {

    private double valueLoss;

    void addValue(double loss) {
        valueLoss += loss;
    }

    double valueLoss() {
        return valueLoss / updates();
    }
}
