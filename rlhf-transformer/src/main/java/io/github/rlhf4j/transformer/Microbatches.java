package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.SequenceBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Batches cut so that a pass has a bounded number of tokens. */
final class Microbatches {

    /** Tokens of an inference pass; a longer sequence goes alone. */
    static final int TOKENS = 8192;

    private Microbatches() {}

    static List<SequenceBatch> byTokens(SequenceBatch batch) {
        return ranges(batch.size(), i -> batch.sequences().get(i).length()).stream()
                .map(range ->
                        new SequenceBatch(batch.sequences().subList(range.from(), range.to()), batch.temperature()))
                .toList();
    }

    /** Sequences {@code [from, to)}. */
    record Range(int from, int to) {}

    /** Cuts {@code count} sequences of these lengths into consecutive ranges of bounded tokens. */
    static List<Range> ranges(int count, IntUnaryOperator length) {
        List<Range> ranges = new ArrayList<>();
        int from = 0;
        int tokens = 0;
        for (int i = 0; i < count; i++) {
            if (i > from && tokens + length.applyAsInt(i) > TOKENS) {
                ranges.add(new Range(from, i));
                from = i;
                tokens = 0;
            }
            tokens += length.applyAsInt(i);
        }
        if (count > 0) {
            ranges.add(new Range(from, count));
        }
        return ranges;
    }
}
