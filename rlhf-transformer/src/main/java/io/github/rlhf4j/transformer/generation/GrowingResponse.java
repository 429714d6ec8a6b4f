package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Completion.StopReason;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** One response while it grows. */
final class GrowingResponse {

    private final TokenSequence prompt;
    private final Sampling sampling;
    private final TokenSampler sampler;
    private final RandomKey key;
    private final int maxTokens;
    private final @Nullable StreamedText text;
    private final BitSet seen = new BitSet();

    private int[] tokens = new int[16];
    private double[] logProbs = new double[16];
    private int length;
    private @Nullable StopReason stopReason;

    GrowingResponse(
            TokenSequence prompt,
            Sampling sampling,
            TokenSampler sampler,
            RandomKey key,
            int contextLength,
            @Nullable StreamedText text) {
        this.prompt = prompt;
        this.sampling = sampling;
        this.sampler = sampler;
        this.key = key;
        this.maxTokens = Math.min(sampling.maxNewTokens(), contextLength - prompt.length());
        this.text = text;
        if (sampler.penalizesRepetition()) {
            prompt.stream().forEach(seen::set);
        }
    }

    TokenSequence prompt() {
        return prompt;
    }

    /** Draws the next token; independent of every other response. */
    TokenSampler.Draw draw(float[] logits) {
        return sampler.draw(logits, seen, key.child(length));
    }

    /** Appends a drawn token; returns the text that is certain now, the empty string where nobody needs text. */
    String append(TokenSampler.Draw draw) {
        if (length == tokens.length) {
            tokens = Arrays.copyOf(tokens, 2 * length);
            logProbs = Arrays.copyOf(logProbs, 2 * length);
        }
        tokens[length] = draw.token();
        logProbs[length] = draw.logProb();
        length++;
        if (sampler.penalizesRepetition()) {
            seen.set(draw.token());
        }
        return decideStop(draw.token());
    }

    private String decideStop(int token) {
        boolean stopToken = sampling.stopTokens().contains(token);
        String newText = text == null ? "" : text.accept(token);
        if (stopToken) {
            stopReason = StopReason.STOP_TOKEN;
        } else if (text != null && text.stopped()) {
            stopReason = StopReason.STOP_STRING;
        } else if (length == maxTokens) {
            stopReason = StopReason.LENGTH;
        }
        return text == null || stopReason == null ? newText : newText + text.finish();
    }

    boolean done() {
        return stopReason != null;
    }

    int lastToken() {
        return tokens[length - 1];
    }

    /** The finished response. */
    Completion completion() {
        if (stopReason == null) {
            throw new IllegalStateException("the response is still growing");
        }
        return new Completion(
                prompt, TokenSequence.of(Arrays.copyOf(tokens, length)), Arrays.copyOf(logProbs, length), stopReason);
    }
}
