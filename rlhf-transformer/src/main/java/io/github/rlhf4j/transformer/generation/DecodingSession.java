package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.TokenSequence;
import java.util.List;

/**
 * Next-token logits of a set of growing sequences: a model with its key-value cache. Used by one thread; a model may have
 * several sessions open at once.
 */
public interface DecodingSession extends AutoCloseable {

    /** The most tokens a sequence may grow to. */
    int contextLength();

    /**
     * Starts sequences, numbered on from those that were started before, the first one of a session 0.
     *
     * @param prompts each of 1 to {@link #contextLength()} tokens; at least one
     * @return the logits that follow each prompt, {@code [B][V]}, valid until the next call; not to be changed
     */
    float[][] start(List<TokenSequence> prompts);

    /**
     * Appends a token to some of the sequences; the others are left as they are and may be continued later or never.
     *
     * @param sequences numbers of sequences that were started and not released, ascending, no two the same; at least one
     * @param tokens the token for each of them
     * @return the logits that follow, one row for each of {@code sequences}, valid until the next call; not to be changed
     */
    float[][] advance(int[] sequences, int[] tokens);

    /** Lets go of what is kept for a sequence, which is not continued. Its number is not given again. */
    void release(int sequence);

    @Override
    void close();
}
