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
     * Starts the sequences of this session; called once.
     *
     * @param prompts each of 1 to {@link #contextLength()} tokens
     * @return the logits that follow each prompt, {@code [B][V]}
     */
    float[][] start(List<TokenSequence> prompts);

    /**
     * Appends a token to some of the sequences; the others are left as they are and may be continued later or never.
     *
     * @param sequences indices into the prompts of {@link #start}, ascending, no two the same; at least one
     * @param tokens the token for each of them
     * @return the logits that follow, one row for each of {@code sequences}
     */
    float[][] advance(int[] sequences, int[] tokens);

    @Override
    void close();
}
