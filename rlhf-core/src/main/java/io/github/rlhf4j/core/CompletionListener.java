package io.github.rlhf4j.core;

/** Told of completions as they end, while others still grow. */
@FunctionalInterface
public interface CompletionListener {

    /**
     * A completion has ended.
     *
     * @param prompt index of the prompt it answers
     * @param completion the one that will be returned for it
     */
    void onCompletion(int prompt, Completion completion);
}
