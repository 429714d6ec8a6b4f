package io.github.rlhf4j.transformer.model;

import io.github.rlhf4j.core.TokenSequence;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The prompts of a session's open sequences: another sample of one of them takes over its keys and values. */
final class StartedPrompts {

    private final Map<TokenSequence, Started> byPrompt = new HashMap<>();
    private final Map<Integer, Started> bySequence = new HashMap<>();

    /**
     * A prompt that went through the network.
     *
     * @param hidden final hidden state of its last token, {@code [1, C]}
     * @param sequences open ones that begin with it, at least one
     */
    record Started(TokenSequence prompt, INDArray hidden, TreeSet<Integer> sequences) {

        int anySequence() {
            return sequences.first();
        }
    }

    @Nullable
    Started find(TokenSequence prompt) {
        return byPrompt.get(prompt);
    }

    void add(TokenSequence prompt, INDArray hidden, int sequence) {
        byPrompt.put(prompt, new Started(prompt, hidden, new TreeSet<>()));
        join(byPrompt.get(prompt), sequence);
    }

    void join(Started started, int sequence) {
        started.sequences().add(sequence);
        bySequence.put(sequence, started);
    }

    void leave(int sequence) {
        Started started = bySequence.remove(sequence);
        if (started != null
                && started.sequences().remove(sequence)
                && started.sequences().isEmpty()) {
            byPrompt.remove(started.prompt());
        }
    }
}
