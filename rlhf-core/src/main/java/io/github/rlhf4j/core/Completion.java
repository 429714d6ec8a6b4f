package io.github.rlhf4j.core;

/**
 * A sampled response.
 *
 * @param prompt what it answers, at least one token
 * @param response the sampled tokens up to and including the stop token; what follows does not exist
 * @param logProbs log π(token | before) of each response token when it was drawn, nats, under the exact policy at the
 *     sampling temperature (at temperature 0: temperature 1); truncation and penalties do not enter
 * @param stopReason why it ended
 */
public record Completion(TokenSequence prompt, TokenSequence response, double[] logProbs, StopReason stopReason) {

    /** Why a response ended. */
    public enum StopReason {
        /** A stop token was sampled; it is the last token of the response. */
        STOP_TOKEN,
        /** The decoded text came to contain a stop string. */
        STOP_STRING,
        /** The limit on new tokens, or the context, was reached. */
        LENGTH
    }

    public Completion {
        if (prompt.isEmpty() || response.isEmpty() || logProbs.length != response.length()) {
            throw new IllegalArgumentException(
                    "a completion needs a prompt, a response and a log-prob per response token," + " got "
                            + prompt.length() + ", " + response.length() + " and " + logProbs.length);
        }
    }

    /** Whether the response ended by itself rather than by running out of room. */
    public boolean stopped() {
        return stopReason != StopReason.LENGTH;
    }

    /** Prompt and response as one sequence, the response scored. */
    public ScoredSequence toScoredSequence() {
        return ScoredSequence.of(prompt, response);
    }
}
