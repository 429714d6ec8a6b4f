package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;

/**
 * What followed a prompt: the policy's answer, or a dialogue of several of its turns with others' tokens between them.
 *
 * @param sequence all tokens; scored are the policy's own
 * @param continuation the tokens after the prompt
 * @param logProbs log π of each of the policy's tokens when it was drawn, nats
 * @param turns of the policy's, ≥ 1
 * @param stopped whether it ended by itself
 * @param exchange prompt and continuation as text, without special tokens
 */
record Trajectory(
        ScoredSequence sequence,
        TokenSequence continuation,
        double[] logProbs,
        int turns,
        boolean stopped,
        Exchange exchange) {

    /** An answer. */
    static Trajectory of(Completion completion, Exchange exchange) {
        return new Trajectory(
                completion.toScoredSequence(),
                completion.response(),
                completion.logProbs(),
                1,
                completion.stopped(),
                exchange);
    }
}
