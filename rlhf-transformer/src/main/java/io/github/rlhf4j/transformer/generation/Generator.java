package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Completes prompts with a model that gives next-token logits. A bounded number of sequences is decoded together; when one
 * is done, the next prompt takes its place.
 *
 * <p>The draw of token t of prompt i has the key (seed, i, t): the number of sequences decoded together decides speed and
 * memory, not the result. Safe for use from several threads when the supplier is.
 */
public final class Generator {

    /** Sequences decoded together unless asked otherwise. */
    public static final int DEFAULT_MAX_BATCH = 64;

    private static final TokenListener NOBODY = (sequence, token, newText) -> {};

    private final Tokenizer tokenizer;
    private final Supplier<? extends DecodingSession> sessions;
    private final int maxBatch;

    /**
     * A generator that decodes up to {@link #DEFAULT_MAX_BATCH} sequences together.
     *
     * @param tokenizer decodes responses, for stop strings and listeners; ids it does not know, which a padded model has
     *     logits for, are never drawn (see {@link TokenSampler})
     * @param sessions opens a new session at each call
     */
    public Generator(Tokenizer tokenizer, Supplier<? extends DecodingSession> sessions) {
        this(tokenizer, sessions, DEFAULT_MAX_BATCH);
    }

    /** As {@link #Generator(Tokenizer, Supplier)}, with {@code maxBatch} ≥ 1 sequences decoded together at most. */
    public Generator(Tokenizer tokenizer, Supplier<? extends DecodingSession> sessions, int maxBatch) {
        if (maxBatch < 1) {
            throw new IllegalArgumentException("maxBatch must be at least 1, got " + maxBatch);
        }
        this.tokenizer = tokenizer;
        this.sessions = sessions;
        this.maxBatch = maxBatch;
    }

    /** Completions without a listener; see {@link #complete(List, Sampling, long, TokenListener)}. */
    public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
        return complete(prompts, sampling, seed, NOBODY, false);
    }

    /** Completions, telling of each as it ends; see {@link #complete(List, Sampling, long, TokenListener)}. */
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
        return complete(prompts, sampling, seed, new EndListener(listener), false);
    }

    /**
     * Samples a completion for each prompt, in the order of the prompts.
     *
     * @param prompts at least one, each of at least one token and shorter than the model's context
     * @param listener told of each token
     * @throws IllegalArgumentException when a prompt is empty or leaves no room for a response; nothing is generated then
     * @throws io.github.rlhf4j.core.DivergenceException when a logit is not finite
     */
    public List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, TokenListener listener) {
        return complete(prompts, sampling, seed, listener, true);
    }

    private List<Completion> complete(
            List<TokenSequence> prompts, Sampling sampling, long seed, TokenListener listener, boolean text) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("there is no prompt to complete; pass at least one");
        }
        try (DecodingSession session = sessions.get()) {
            checkPrompts(prompts, session.contextLength());
            List<GrowingResponse> responses = responses(prompts, session.contextLength(), sampling, seed, text);
            new DecodingBatch(session, responses, maxBatch, listener).run();
            return responses.stream().map(GrowingResponse::completion).toList();
        }
    }

    private List<GrowingResponse> responses(
            List<TokenSequence> prompts, int contextLength, Sampling sampling, long seed, boolean text) {
        boolean needsText = text || !sampling.stopStrings().isEmpty();
        TokenSampler sampler = new TokenSampler(sampling, tokenizer.vocabularySize());
        List<GrowingResponse> responses = new ArrayList<>(prompts.size());
        for (int i = 0; i < prompts.size(); i++) {
            responses.add(new GrowingResponse(
                    prompts.get(i),
                    sampling,
                    sampler,
                    RandomKey.of(seed).child(i),
                    contextLength,
                    needsText ? new StreamedText(tokenizer.streamingDecoder(), sampling.stopStrings()) : null));
        }
        return responses;
    }

    /** Hears of ends only, so that nobody decodes text for it. */
    private record EndListener(CompletionListener listener) implements TokenListener {

        @Override
        public void onToken(int sequence, int token, String newText) {}

        @Override
        public void onEnd(int sequence, Completion completion) {
            listener.onCompletion(sequence, completion);
        }
    }

    private static void checkPrompts(List<TokenSequence> prompts, int contextLength) {
        for (int i = 0; i < prompts.size(); i++) {
            int length = prompts.get(i).length();
            if (length == 0) {
                throw new IllegalArgumentException("prompt " + i + " is empty, so the first token has no context; begin"
                        + " it with a start token such as <|endoftext|>");
            }
            if (length >= contextLength) {
                throw new IllegalArgumentException("prompt " + i + " has " + length
                        + " tokens and the model's window is "
                        + contextLength + ", prompt and response together, so there is no room for a response; shorten"
                        + " the prompt to at most " + (contextLength - 1)
                        + " tokens (for a conversation, drop its oldest"
                        + " turns) or use a model with a longer context");
            }
        }
    }
}
