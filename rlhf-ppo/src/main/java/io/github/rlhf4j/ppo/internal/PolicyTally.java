package io.github.rlhf4j.ppo.internal;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.ppo.math.RatioStatistics;
import java.util.Map;

/** Adds up what the updates on one rollout did to the policy, whatever else was trained with it. */
public class PolicyTally {

    private double policyLoss;
    private double klLoss;
    private double exactKlSum;
    private long exactKlTokens;
    private double gradientNorm;
    private double entropySum;
    private long entropyTokens;
    private double onPolicyError;
    private double lastApproximateKl;
    private int updates;
    private RatioStatistics all = RatioStatistics.NONE;
    private RatioStatistics minibatch = RatioStatistics.NONE;

    /** A micro-batch's share of its minibatch's loss. */
    public final void addPolicy(double loss, RatioStatistics statistics) {
        policyLoss += loss;
        minibatch = minibatch.plus(statistics);
    }

    /** A micro-batch's share of its minibatch's KL, where that is part of the loss. */
    public final void addKl(double loss) {
        klLoss += loss;
    }

    /** Exact KL to the reference at the tokens of a pass, nats, where that is part of the loss. */
    public final void addExactKl(double sum, long tokens) {
        exactKlSum += sum;
        exactKlTokens += tokens;
    }

    public final void addEntropy(double sum, long tokens) {
        entropySum += sum;
        entropyTokens += tokens;
    }

    public final void onPolicyError(double error) {
        onPolicyError = Math.max(onPolicyError, error);
    }

    /** Ends a minibatch. */
    public final void addUpdate(UpdateReport report) {
        gradientNorm += report.gradientNorm();
        updates++;
        all = all.plus(minibatch);
        lastApproximateKl = minibatch.approximateKl();
        minibatch = RatioStatistics.NONE;
    }

    /** Approximate KL of the last update's minibatch before that update, nats per token. */
    public final double lastApproximateKl() {
        return lastApproximateKl;
    }

    /** The policy loss of the updates so far, of which {@code updates()} is the count. */
    public final double policyLoss() {
        return policyLoss / updates;
    }

    /** The KL in the loss, times its coefficient, of the updates so far. */
    public final double klLoss() {
        return klLoss / updates;
    }

    /** Puts the mean exact KL over the tokens of all updates' passes, nats per token; nothing where the loss has none. */
    public final void reportExactKl(String path, Map<String, Double> metrics) {
        if (exactKlTokens > 0) {
            metrics.put(path, exactKlSum / exactKlTokens);
        }
    }

    public final double gradientNorm() {
        return gradientNorm / updates;
    }

    /** Mean entropy over the tokens of the first epoch, nats. */
    public final double entropy() {
        return entropySum / entropyTokens;
    }

    public final double onPolicyError() {
        return onPolicyError;
    }

    public final int updates() {
        return updates;
    }

    public final RatioStatistics statistics() {
        return all;
    }
}
