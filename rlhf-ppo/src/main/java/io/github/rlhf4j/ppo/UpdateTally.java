package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.ppo.math.RatioStatistics;

/** Adds up what the updates on one rollout did. */
final class UpdateTally {

    private double policyLoss;
    private double valueLoss;
    private double ptxLoss;
    private double gradientNorm;
    private double entropySum;
    private long entropyTokens;
    private long valueClipped;
    private double onPolicyError;
    private double lastApproximateKl;
    private int updates;
    private RatioStatistics all = RatioStatistics.NONE;
    private RatioStatistics minibatch = RatioStatistics.NONE;

    /** A micro-batch's share of its minibatch's losses. */
    void addPolicy(double loss, RatioStatistics statistics) {
        policyLoss += loss;
        minibatch = minibatch.plus(statistics);
    }

    void addValue(double loss, long clipped) {
        valueLoss += loss;
        valueClipped += clipped;
    }

    void addPtx(double loss) {
        ptxLoss += loss;
    }

    void addEntropy(double sum, long tokens) {
        entropySum += sum;
        entropyTokens += tokens;
    }

    void onPolicyError(double error) {
        onPolicyError = Math.max(onPolicyError, error);
    }

    /** Ends a minibatch. */
    void addUpdate(UpdateReport report) {
        gradientNorm += report.gradientNorm();
        updates++;
        all = all.plus(minibatch);
        lastApproximateKl = minibatch.approximateKl();
        minibatch = RatioStatistics.NONE;
    }

    /** Approximate KL of the last update's minibatch before that update, nats per token. */
    double lastApproximateKl() {
        return lastApproximateKl;
    }

    /** The policy loss of the updates so far, of which {@code updates()} is the count. */
    double policyLoss() {
        return policyLoss / updates;
    }

    double valueLoss() {
        return valueLoss / updates;
    }

    double ptxLoss() {
        return ptxLoss / updates;
    }

    double gradientNorm() {
        return gradientNorm / updates;
    }

    /** Mean entropy over the tokens of the first epoch, nats. */
    double entropy() {
        return entropySum / entropyTokens;
    }

    double valueClipFraction() {
        return (double) valueClipped / all.tokens();
    }

    double onPolicyError() {
        return onPolicyError;
    }

    int updates() {
        return updates;
    }

    RatioStatistics statistics() {
        return all;
    }
}
