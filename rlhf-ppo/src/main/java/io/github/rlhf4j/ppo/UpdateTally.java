package io.github.rlhf4j.ppo;

import io.github.rlhf4j.ppo.internal.PolicyTally;

/** Adds up what the updates on one rollout did to policy and value function. */
final class UpdateTally extends PolicyTally {

    private double valueLoss;
    private double ptxLoss;
    private long valueClipped;

    void addValue(double loss, long clipped) {
        valueLoss += loss;
        valueClipped += clipped;
    }

    void addPtx(double loss) {
        ptxLoss += loss;
    }

    double valueLoss() {
        return valueLoss / updates();
    }

    double ptxLoss() {
        return ptxLoss / updates();
    }

    double valueClipFraction() {
        return (double) valueClipped / statistics().tokens();
    }
}
