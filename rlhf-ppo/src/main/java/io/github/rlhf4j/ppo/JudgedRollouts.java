package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * PPO's rollouts for trainers that have no critic: samples answers, has reward model and reference judge meanwhile ({@link
 * RewardConcurrency}), or plays dialogues with an environment ({@link DialogueEnvironment}); and stops where the numbers cannot
 * be right ({@link GuardSettings}).
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
    private final Task task;
    private final Sampling sampling;
    private final Guards guards;
    private final int microBatchTokens;
    private final RolloutListener listener;

    /**
     * A source of rollouts.
     *
     * @param microBatchTokens most tokens of a pass of reference or policy, ≥ 1
     */
    public JudgedRollouts(RolloutParts parts, Sampling sampling, GuardSettings guards, int microBatchTokens) {
        this.policy = parts.policy();
        this.sampler = parts.sampler();
        this.reference = parts.reference();
        this.task = parts.task();
        this.sampling = sampling;
        this.guards = new Guards(guards, sampling);
        this.microBatchTokens = microBatchTokens;
        this.listener = parts.listener();
    }

    /**
     * One response per prompt, or one dialogue, judged.
     *
     * @param iteration 0 for the first
     * @throws IllegalStateException when what the policy drew cannot be what its log-probs say
     */
    public JudgedRollout sample(List<Prompt> prompts, Scorer scorer, long iteration, long seed) {
        try (Task.Play play = task.begin(prompts.size())) {
            Rollout rollout = play.sample(sampler, prompts, sampling, seed);
            guards.warnOfCollapse(rollout, iteration + 1);
            return judge(rollout, scorer, iteration, play);
        }
    }

    /** Reference and policy on this thread, while calls of the reward model that have not returned go on. */
    private JudgedRollout judge(Rollout rollout, Scorer scorer, long iteration, Task.Play play) {
        SequenceBatch batch = rollout.batch();
        double[][] referenceLogProbs = score("the log-probs of the reference policy", reference, batch);
        double[][] logProbs = scorer == Scorer.SAMPLER
                ? rollout.logProbs()
                : score("the log-probs of the trained policy", policy, batch);
        guards.requirePossibleKl(KlEstimator.K1.values(rollout.logProbs(), referenceLogProbs));
        double[][] kl = KlEstimator.K1.values(logProbs, referenceLogProbs);
        Guards.requireFinite("the log-probability ratio of policy and reference", Ragged.sum(kl));
        double[][] scores = play.tokenScores();
        listener.onRollout(iteration + 1, rollout.samples(Ragged.rowSums(scores), Ragged.rowSums(kl)));
        return new JudgedRollout(rollout, logProbs, referenceLogProbs, scores);
    }

    /**
     * What is reported of a rollout of these, by path: score, reward, KL, length, stops, and turns where they are dialogues.
     *
     * @param rewards what is learned from, one row per response
     */
    public Map<String, Double> metrics(JudgedRollout judged, double[][] rewards) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        RolloutMetrics.report(judged.scores(), rewards, judged.logProbs(), judged.referenceLogProbs(), metrics);
        RolloutMetrics.reportEnds(judged.rollout(), task, metrics);
        return metrics;
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
        return MicroBatches.logProbs(what, scorer, batch, microBatchTokens);
    }
}
