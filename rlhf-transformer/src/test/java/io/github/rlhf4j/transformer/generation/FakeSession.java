package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.TokenSequence;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;

/** A session whose logits are a function of all tokens so far, and which checks that it is used as its contract says. */
final class FakeSession implements DecodingSession {

    private final int contextLength;
    private final Function<int[], float[]> model;
    private final List<int[]> sequences = new ArrayList<>();
    private boolean started;
    private boolean closed;
    private final BitSet released = new BitSet();
    int open;
    int steps;
    int advances;
    int mostOpen;

    FakeSession(int contextLength, Function<int[], float[]> model) {
        this.contextLength = contextLength;
        this.model = model;
    }

    /** OpenAI's dummy model (lm-human-preferences, test_sample.py): the next token is the last one plus 1. */
    static FakeSession plusOne(int contextLength, int vocabularySize) {
        return new FakeSession(contextLength, tokens -> {
            float[] logits = new float[vocabularySize];
            logits[(tokens[tokens.length - 1] + 1) % vocabularySize] = 100;
            return logits;
        });
    }

    /** The same logits whatever came before. */
    static FakeSession constant(int contextLength, float... logits) {
        return new FakeSession(contextLength, tokens -> logits);
    }

    /** Says these tokens, one for each position after the prompt of one token, over and over. */
    static FakeSession script(int contextLength, int vocabularySize, int... script) {
        return new FakeSession(contextLength, tokens -> {
            float[] logits = new float[vocabularySize];
            logits[script[(tokens.length - 1) % script.length]] = 100;
            return logits;
        });
    }

    @Override
    public int contextLength() {
        return contextLength;
    }

    @Override
    public float[][] start(List<TokenSequence> prompts) {
        require(!closed, "start on an open session");
        require(!prompts.isEmpty(), "at least one prompt");
        started = true;
        prompts.forEach(prompt -> sequences.add(prompt.toArray()));
        open += prompts.size();
        mostOpen = Math.max(mostOpen, open);
        return prompts.stream().map(TokenSequence::toArray).map(model).toArray(float[][]::new);
    }

    @Override
    public float[][] advance(int[] indices, int[] tokens) {
        require(started && !closed, "advance after start, before close");
        require(indices.length > 0 && indices.length == tokens.length, "a token for each sequence, at least one");
        steps++;
        float[][] logits = new float[indices.length][];
        for (int i = 0; i < indices.length; i++) {
            require(i == 0 || indices[i] > indices[i - 1], "indices ascend");
            require(!released.get(indices[i]), "no token for a sequence that was released");
            TokenSequence grown = TokenSequence.of(sequences.get(indices[i])).concat(TokenSequence.of(tokens[i]));
            require(grown.length() <= contextLength, "no sequence outgrows the context");
            sequences.set(indices[i], grown.toArray());
            logits[i] = model.apply(sequences.get(indices[i]));
            advances++;
        }
        return logits;
    }

    @Override
    public void release(int sequence) {
        require(sequence < sequences.size() && !released.get(sequence), "a started sequence is released once");
        released.set(sequence);
        open--;
    }

    @Override
    public void close() {
        closed = true;
    }

    boolean isClosed() {
        return closed;
    }

    private static void require(boolean rule, String message) {
        if (!rule) {
            throw new AssertionError(message);
        }
    }
}
