package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.SequenceBatch;
import java.util.ArrayList;
import java.util.List;

/** Batches cut so that a pass has a bounded number of tokens. */
final class Microbatches {

    /** Tokens of an inference pass; a longer sequence goes alone. */
    static final int TOKENS = 8192;

    private Microbatches() {}

    static List<SequenceBatch> byTokens(SequenceBatch batch) {
        List<SequenceBatch> parts = new ArrayList<>();
        int from = 0;
        int tokens = 0;
        for (int i = 0; i < batch.size(); i++) {
            int length = batch.sequences().get(i).length();
            if (i > from && tokens + length > TOKENS) {
                parts.add(new SequenceBatch(batch.sequences().subList(from, i), batch.temperature()));
                from = i;
                tokens = 0;
            }
            tokens += length;
        }
        parts.add(new SequenceBatch(batch.sequences().subList(from, batch.size()), batch.temperature()));
        return parts;
    }
}
