package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.ppo.math.Ragged;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Checks that stop a run whose numbers cannot be right, and some that warn; each says what is most likely wrong. */
final class Guards {

    private static final Logger LOG = LoggerFactory.getLogger(Guards.class);

    /** A rollout in which fewer of the responses than this are different is warned of. */
    private static final double LEAST_DISTINCT_SHARE = 0.1;

    /** Nats per token. At 0.01 all but one token of some hundred are certain: there is next to nothing left to explore. */
    private static final double LEAST_ENTROPY = 0.01;

    private final GuardSettings settings;
    private final boolean responsesCanStop;
    private final Alarm sameness = new Alarm();
    private final Alarm certainty = new Alarm();
    private final Alarm endlessness = new Alarm();

    /** Warned of once, until it recovers. */
    private static final class Alarm {

        private boolean on;

        /** Whether the condition holds now and did not before. */
        boolean rises(boolean condition) {
            boolean before = on;
            on = condition;
            return on && !before;
        }
    }

    Guards(GuardSettings settings, Sampling sampling) {
        this.settings = settings;
        this.responsesCanStop = !sampling.stopTokens().isEmpty();
    }

    /**
     * Before the first update on a rollout, the policy that scores is the policy that sampled: each ratio is 1.
     *
     * @return the largest |log ratio| of a token, nats
     */
    double requireOnPolicy(double[][] scored, double[][] sampled) {
        Ragged.requireSameShape("scored log-probs", scored, "sampled log-probs", sampled);
        double largest = 0;
        for (int i = 0; i < scored.length; i++) {
            for (int t = 0; t < scored[i].length; t++) {
                double difference = Math.abs(scored[i][t] - sampled[i][t]);
                if (!(difference <= settings.onPolicyTolerance())) {
                    throw new IllegalStateException("sampler and scorer disagree: before the first update on a rollout"
                            + " the ratio of each token must be 1, but token " + t + " of a response was drawn with"
                            + " log-probability " + sampled[i][t] + " and is scored " + scored[i][t]
                            + " (tolerance " + settings.onPolicyTolerance()
                            + " nats). Usual causes: another temperature"
                            + " when scoring, top-k, top-p or a penalty when sampling, dropout on in one of them,"
                            + " padding that is attended to, a cache of keys and values that is off by one position,"
                            + " or parameters changed in between. PPO on such ratios is not PPO");
                }
                largest = Math.max(largest, difference);
            }
        }
        return largest;
    }

    /** A rollout's total K1 may be negative by chance, but not by much: see {@link GuardSettings}. */
    void requirePossibleKl(double[][] k1) {
        double total = Ragged.sum(k1);
        requireFinite("the log-probability ratio of policy and reference", total);
        double limit = Math.log(settings.negativeKlSignificance());
        if (total < limit) {
            throw new IllegalStateException("negative KL: over the " + k1.length + " responses of a rollout, Σ log π −"
                    + " log π_ref is " + total + " nats. For responses drawn from π a total below " + limit + " has a"
                    + " probability below " + settings.negativeKlSignificance() + ", so they were not drawn from what"
                    + " their log-probabilities say. Usual causes: truncated or penalised sampling, policy and reference"
                    + " scored at different temperatures or on different tokens, dropout on in one of them. PPO would"
                    + " now be paid for making it worse");
        }
    }

    /**
     * A policy that says the same few things, is certain of each token, or never stops has next to nothing left to learn
     * from. Each is warned of once, until it recovers.
     */
    void warnOfCollapse(Rollout rollout, long iteration) {
        warnOfSameness(rollout, iteration);
        double entropy = rollout.sampledEntropy();
        if (certainty.rises(entropy < LEAST_ENTROPY)) {
            LOG.warn(
                    "iteration {}: the entropy of the policy is down to {} nats per token: it has collapsed, or the task"
                            + " has one answer to each prompt. A larger KL coefficient, a lower learning rate or an entropy"
                            + " bonus keeps it wider",
                    iteration,
                    entropy);
        }
        if (endlessness.rises(responsesCanStop && rollout.size() > 1 && rollout.stoppedCount() == 0)) {
            LOG.warn(
                    "iteration {}: none of the {} responses stopped, all were cut at the token limit: the stop token is"
                            + " unknown to the policy, the limit is too low, or length is rewarded. Teach it to stop by"
                            + " fine-tuning on demonstrations, raise the limit, or see MissingStop",
                    iteration,
                    rollout.size());
        }
    }

    private void warnOfSameness(Rollout rollout, long iteration) {
        int size = rollout.size();
        long distinct = rollout.distinctContinuations();
        if (!sameness.rises(size > 1 && (distinct == 1 || distinct < LEAST_DISTINCT_SHARE * size))) {
            return;
        }
        String what = distinct == 1
                ? "all " + size + " responses are the same"
                : "only " + distinct + " of the " + size + " responses are different";
        LOG.warn(
                "iteration {}: {}, \"{}\": the policy has collapsed, or the task has few answers. A larger KL"
                        + " coefficient, a lower learning rate or an entropy bonus keeps it wider",
                iteration,
                what,
                rollout.exchanges().get(0).response());
    }

    static void requireFinite(String what, double value) {
        if (!Double.isFinite(value)) {
            throw new DivergenceException(what + " is " + value + ": the run has diverged. Go back to the last"
                    + " checkpoint and lower the learning rate, or clip gradients and scores harder; ppo/gradient_norm,"
                    + " ppo/approx_kl and ppo/value_loss of the steps before show where it began");
        }
    }
}
