package io.github.rlhf4j.core;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** Cuts sequences into passes of bounded tokens, which bounds the memory of each. */
public final class TokenBudget {

    private TokenBudget() {}

    /**
     * Sequences that go through a model together.
     *
     * @param from the first, ≥ 0
     * @param to one past the last, &gt; {@code from}
     */
    public record Range(int from, int to) {}

    /**
     * Consecutive ranges over {@code [0, count)}, each filled before the next begins; none when {@code count} is 0.
     *
     * @param length tokens of a sequence by its number
     * @param maxTokens tokens of a range, ≥ 1; a longer sequence is a range of its own
     */
    public static List<Range> ranges(int count, IntUnaryOperator length, int maxTokens) {
        List<Range> ranges = new ArrayList<>();
        int from = 0;
        long tokens = 0;
        for (int i = 0; i < count; i++) {
            int more = length.applyAsInt(i);
            if (i > from && tokens + more > maxTokens) {
                ranges.add(new Range(from, i));
                from = i;
                tokens = 0;
            }
            tokens += more;
        }
        if (count > 0) {
            ranges.add(new Range(from, count));
        }
        return ranges;
    }
}
