package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.List;

/**
 * PPO's rollouts for trainers that have no critic: samples, has reward model and reference judge meanwhile ({@link
 * RewardConcurrency}), and stops where the numbers cannot be right ({@link GuardSettings}).
 */
public final class JudgedRollouts {

    /** Who draws and who is scored. */
    public enum Scorer {
        /** The log-probs that came with the samples: the sampler is the policy. */
        SAMPLER,
        /** The policy scores what was drawn once more: the sampler is older, or of coarser numbers. */
        POLICY;

        /** Whose log-probs a correction needs: where there is none the sampler is the policy. */
        public static Scorer of(RolloutCorrection correction) {
            return correction instanceof RolloutCorrection.None ? SAMPLER : POLICY;
        }
    }

    private final Policy policy;
    private final Policy sampler;
    private final Policy reference;
    private final RewardModel rewardModel;
    private final RewardConcurrency rewardConcurrency;
    private final Sampling sampling;
    private final Guards guards;
    private final int microBatchTokens;
    private final RolloutListener listener;

    /**
     * A source of rollouts that the policy draws.
     *
     * @param microBatchTokens most tokens of a pass of reference or policy, ≥ 1
     */
    public JudgedRollouts(RolloutParts parts, Sampling sampling, GuardSettings guards, int microBatchTokens) {
        this(parts, parts.policy(), sampling, guards, microBatchTokens);
    }

    /**
     * A source of rollouts.
     *
     * @param sampler draws the responses: the policy, or another over the same tokens
     * @param microBatchTokens most tokens of a pass of reference or policy, ≥ 1
     */
    public JudgedRollouts(
            RolloutParts parts, Policy sampler, Sampling sampling, GuardSettings guards, int microBatchTokens) {
        this.policy = parts.policy();
        this.sampler = sampler;
        this.reference = parts.reference();
        this.rewardModel = parts.rewardModel();
        this.rewardConcurrency = parts.rewardConcurrency();
        this.sampling = sampling;
        this.guards = new Guards(guards, sampling);
        this.microBatchTokens = microBatchTokens;
        this.listener = parts.listener();
    }

    /**
     * One response per prompt, judged.
     *
     * @param iteration 0 for the first
     * @throws IllegalStateException when what the policy drew cannot be what its log-probs say
     */
    public JudgedRollout sample(List<Prompt> prompts, Scorer scorer, long iteration, long seed) {
        try (RewardCalls calls = RewardCalls.begin(rewardModel, prompts.size(), rewardConcurrency)) {
            Rollout rollout = Answers.sample(sampler, prompts, sampling, seed, calls::offer)
                    .rollout(sampling);
            guards.warnOfCollapse(rollout, iteration + 1);
            return judge(rollout, scorer, iteration, calls);
        }
    }

    /** Reference and policy on this thread, while calls of the reward model that have not returned go on. */
    private JudgedRollout judge(Rollout rollout, Scorer scorer, long iteration, RewardCalls calls) {
        SequenceBatch batch = rollout.batch();
        double[][] referenceLogProbs = score("the log-probs of the reference policy", reference, batch);
        double[][] logProbs = scorer == Scorer.SAMPLER
                ? rollout.logProbs()
                : score("the log-probs of the trained policy", policy, batch);
        guards.requirePossibleKl(KlEstimator.K1.values(rollout.logProbs(), referenceLogProbs));
        double[][] kl = KlEstimator.K1.values(logProbs, referenceLogProbs);
        Guards.requireFinite("the log-probability ratio of policy and reference", Ragged.sum(kl));
        double[][] scores = calls.await();
        listener.onRollout(iteration + 1, rollout.samples(Ragged.rowSums(scores), Ragged.rowSums(kl)));
        return new JudgedRollout(
                batch, rollout.exchanges(), rollout.logProbs(), logProbs, referenceLogProbs, scores, rollout.stopped());
    }

    /**
     * Checks that before the first update on a rollout each ratio is 1.
     *
     * @return the largest |log ratio| of a token, nats
     * @throws IllegalStateException when one is not
     */
    public double requireOnPolicy(double[][] scored, double[][] before) {
        return guards.requireOnPolicy(scored, before);
    }

    private double[][] score(String what, Policy scorer, SequenceBatch batch) {
        return MicroBatches.score(
                what, batch, microBatchTokens, pass -> scorer.score(pass).logProbs());
    }
}
