package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import java.util.ArrayList;
import java.util.List;

/** A batch cut into parts that fit the machine. */
final class MicroBatches {

    private MicroBatches() {}

    /** The sequences in their order, in parts of at most {@code maxTokens} tokens; a longer sequence is a part of its own. */
    static List<SequenceBatch> of(List<ScoredSequence> sequences, int maxTokens) {
        List<SequenceBatch> parts = new ArrayList<>();
        int from = 0;
        long tokens = 0;
        for (int i = 0; i < sequences.size(); i++) {
            int length = sequences.get(i).length();
            if (i > from && tokens + length > maxTokens) {
                parts.add(new SequenceBatch(sequences.subList(from, i)));
                from = i;
                tokens = 0;
            }
            tokens += length;
        }
        parts.add(new SequenceBatch(sequences.subList(from, sequences.size())));
        return parts;
    }
}
