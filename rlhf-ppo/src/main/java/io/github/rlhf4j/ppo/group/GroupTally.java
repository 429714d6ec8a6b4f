package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.ppo.internal.PolicyTally;
import java.util.Map;

/** Adds up what the updates on one rollout did. */
final class GroupTally extends PolicyTally {

    void report(Map<String, Double> metrics) {
        metrics.put("objective/entropy", entropy());
        metrics.put("group/policy_loss", policyLoss());
        metrics.put("group/kl_loss", klLoss());
        reportExactKl("group/exact_kl", metrics);
        metrics.put("group/approx_kl", statistics().approximateKl());
        metrics.put("group/clip_fraction", statistics().clipFraction());
        metrics.put("group/ratio", statistics().ratio());
        metrics.put("group/on_policy_error", onPolicyError());
        metrics.put("group/gradient_norm", gradientNorm());
        metrics.put("group/updates", (double) updates());
    }
}
