package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Batches cut so that a pass has a bounded number of tokens. */
final class Microbatches {

    private static final int FEWEST_TOKENS = 1024;
    private static final int MOST_TOKENS = 8192;

    /** Numbers in the widest activation of an inference pass: what keeps its memory small beside the weights. */
    private static final int WIDEST = 1 << 22;

    private Microbatches() {}

    /** Tokens of an inference pass, enough for products to be fast; a longer sequence goes alone. */
    static int tokens(TransformerConfig config) {
        return Math.max(FEWEST_TOKENS, Math.min(MOST_TOKENS, WIDEST / config.feedForwardWidth()));
    }

    static List<SequenceBatch> byTokens(SequenceBatch batch, int mostTokens) {
        return ranges(batch.size(), i -> batch.sequences().get(i).length(), mostTokens).stream()
                .map(range ->
                        new SequenceBatch(batch.sequences().subList(range.from(), range.to()), batch.temperature()))
                .toList();
    }

    /** Sequences {@code [from, to)}. */
    record Range(int from, int to) {}

    /** Cuts {@code count} sequences of these lengths into consecutive ranges of bounded tokens. */
    static List<Range> ranges(int count, IntUnaryOperator length, int mostTokens) {
        List<Range> ranges = new ArrayList<>();
        int from = 0;
        int tokens = 0;
        for (int i = 0; i < count; i++) {
            if (i > from && tokens + length.applyAsInt(i) > mostTokens) {
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
