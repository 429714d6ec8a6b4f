package io.github.rlhf4j.core;

import java.util.List;

/**
 * A language model as reinforcement learning sees it: π(y | x), to sample from and to score with.
 *
 * <p>Implementations must be safe for inference from several threads. Sampling and scoring must be of the same
 * distribution: at temperature τ with no truncation, {@code score} of a completion gives back the log-probabilities it
 * was drawn with (up to rounding). {@code PpoTrainer} checks this in every run.
 */
public interface Policy {

    Tokenizer tokenizer();

    /** The largest number of tokens, prompt and response together, that this policy can attend to. */
    int contextLength();

    /**
     * Samples one completion for each prompt, in the order of the prompts.
     *
     * <p>The randomness of a draw is a function of {@code (seed, index of the prompt, index of the token)} alone, so that
     * the result does not depend on how the implementation batches or on its threads.
     *
     * @param prompts each of at least one token; at least one prompt
     * @throws IllegalArgumentException when a prompt leaves no room for a response in the context
     */
    List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed);

    /**
     * As {@link #complete(List, Sampling, long)}, with the same result, telling of each completion as it ends, so that
     * others can work on it while the rest is sampled. By default they are told of at the end; a policy that knows sooner
     * overrides this.
     *
     * @param listener told of each prompt's completion once, on this thread, in any order; what it throws ends the sampling
     *     and is thrown here
     */
    default List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
        List<Completion> completions = complete(prompts, sampling, seed);
        for (int i = 0; i < completions.size(); i++) {
            listener.onCompletion(i, completions.get(i));
        }
        return completions;
    }

    /** Log-probabilities and entropies of the scored tokens; nothing is remembered for a backward pass. */
    TokenScores score(SequenceBatch batch);
}
