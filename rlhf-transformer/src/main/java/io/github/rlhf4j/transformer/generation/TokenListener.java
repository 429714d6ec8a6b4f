package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.Completion;

/**
 * Told of each token as it is drawn. Called on the thread that generates, sequences interleaved.
 */
@FunctionalInterface
public interface TokenListener {

    /**
     * A token was drawn.
     *
     * @param sequence index of the prompt it continues
     * @param token its id
     * @param newText the text that became certain with it, possibly empty: never half a character, and nothing that may
     *     yet turn out to be the beginning of a stop string. Put together, a sequence's texts are the decoded response
     *     before any stop string.
     */
    void onToken(int sequence, int token, String newText);

    /** A sequence ended; {@link #onToken} has been told of its last token. */
    default void onEnd(int sequence, Completion completion) {}
}
