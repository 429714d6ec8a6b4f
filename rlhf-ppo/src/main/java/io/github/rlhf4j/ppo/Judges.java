package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * Reference and critic, who judge a rollout beside what pays for it. The policy that sampled is not asked again, for its
 * log-probs came with the samples; unless the sampler was not the policy that is trained.
 *
 * @param policy that is trained
 * @param scorer whose log-probs the rollout is learned from with
 * @param microBatchTokens most tokens of a pass of reference, critic or policy, so that this setting bounds the memory of the run
 */
record Judges(Policy policy, JudgedRollouts.Scorer scorer, Policy reference, Learner learner, int microBatchTokens) {

    /** Reference and critic on this thread, while calls of a reward model that have not returned go on. */
    Judgement judge(Rollout rollout, Task.Play play) {
        SequenceBatch batch = rollout.batch();
        double[][] referenceLogProbs = logProbs("the log-probs of the reference policy", reference, batch);
        double[][] logProbs = scorer == JudgedRollouts.Scorer.SAMPLER
                ? rollout.logProbs()
                : logProbs("the log-probs of the trained policy", policy, batch);
        double[][] values = MicroBatches.score("the values of the critic", batch, microBatchTokens, learner::values);
        Guards.requireFinite("the value of a response token", Ragged.sum(values));
        return new Judgement(logProbs, referenceLogProbs, values, play.tokenScores());
    }

    private double[][] logProbs(String what, Policy asked, SequenceBatch batch) {
        return MicroBatches.logProbs(what, asked, batch, microBatchTokens);
    }
}
