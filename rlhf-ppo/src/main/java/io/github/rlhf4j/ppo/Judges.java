package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * Reference and critic, who judge a rollout beside what pays for it. The policy that sampled is not asked again: its
 * log-probs came with the samples.
 *
 * @param microBatchTokens most tokens of a pass of reference or critic, so that this setting bounds the memory of the run
 */
record Judges(Policy reference, Learner learner, int microBatchTokens) {

    /** Reference and critic on this thread, while calls of a reward model that have not returned go on. */
    Judgement judge(Rollout rollout, Task.Play play) {
        SequenceBatch batch = rollout.batch();
        double[][] referenceLogProbs =
                MicroBatches.score("the log-probs of the reference policy", batch, microBatchTokens, pass -> reference
                        .score(pass)
                        .logProbs());
        double[][] values = MicroBatches.score("the values of the critic", batch, microBatchTokens, learner::values);
        Guards.requireFinite("the value of a response token", Ragged.sum(values));
        return new Judgement(referenceLogProbs, values, play.tokenScores());
    }
}
