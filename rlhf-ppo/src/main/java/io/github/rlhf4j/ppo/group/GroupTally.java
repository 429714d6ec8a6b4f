package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.ppo.math.RatioStatistics;
import java.util.Map;

/** Adds up what the updates on one rollout did. */
final class GroupTally {

    private double policyLoss;
    private double klLoss;
    private double gradientNorm;
    private double entropySum;
    private long entropyTokens;
    private double onPolicyError;
    private double lastApproximateKl;
    private int updates;
    private RatioStatistics all = RatioStatistics.NONE;
    private RatioStatistics minibatch = RatioStatistics.NONE;

    /** A micro-batch's share of its minibatch's losses. */
    void add(double policy, double kl, RatioStatistics statistics) {
        policyLoss += policy;
        klLoss += kl;
        minibatch = minibatch.plus(statistics);
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

    int updates() {
        return updates;
    }

    void report(Map<String, Double> metrics) {
        metrics.put("objective/entropy", entropySum / entropyTokens);
        metrics.put("group/policy_loss", policyLoss / updates);
        metrics.put("group/kl_loss", klLoss / updates);
        metrics.put("group/approx_kl", all.approximateKl());
        metrics.put("group/clip_fraction", all.clipFraction());
        metrics.put("group/ratio", all.ratio());
        metrics.put("group/on_policy_error", onPolicyError);
        metrics.put("group/gradient_norm", gradientNorm / updates);
        metrics.put("group/updates", (double) updates);
    }
}
