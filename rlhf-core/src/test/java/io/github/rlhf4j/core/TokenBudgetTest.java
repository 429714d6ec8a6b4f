package io.github.rlhf4j.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.TokenBudget.Range;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TokenBudgetTest {

    private static List<Range> ranges(List<Integer> lengths, int maxTokens) {
        return TokenBudget.ranges(lengths.size(), lengths::get, maxTokens);
    }

    private static int tokens(List<Integer> lengths, int from, int to) {
        return lengths.subList(from, to).stream().mapToInt(Integer::intValue).sum();
    }

    @Test
    void twoPassesAreHalvesNotAFullOneAndARest() {
        assertThat(TokenBudget.ranges(64, i -> 80, 4096)).containsExactly(new Range(0, 32), new Range(32, 64));
        assertThat(TokenBudget.ranges(51, i -> 80, 4096)).containsExactly(new Range(0, 51));
        assertThat(TokenBudget.ranges(0, i -> 80, 4096)).isEmpty();
    }

    @Test
    void aSequenceOverTheBudgetIsARangeOfItsOwnAndTheOthersAreBalanced() {
        assertThat(ranges(List.of(9, 2, 2, 2, 2), 6))
                .containsExactly(new Range(0, 1), new Range(1, 3), new Range(3, 5));
    }

    /** Against every way to cut: no fewer ranges keep to the budget, and no as few have a smaller largest one. */
    @Property(tries = 300)
    void thereAreNoFewerAndNoMoreEqualRanges(
            @ForAll @Size(min = 1, max = 10) List<@IntRange(min = 1, max = 20) Integer> lengths,
            @ForAll @IntRange(min = 1, max = 60) int budget) {
        List<Range> ranges = ranges(lengths, budget);
        assertThat(ranges.stream().flatMapToInt(range -> IntStream.range(range.from(), range.to())))
                .containsExactlyElementsOf(
                        IntStream.range(0, lengths.size()).boxed().toList());
        int largest = largestOfMany(lengths, ranges.stream().map(Range::to).toList());
        assertThat(largest).isLessThanOrEqualTo(budget);
        for (int cuts = 0; cuts < 1 << (lengths.size() - 1); cuts++) {
            List<Integer> ends = ends(cuts, lengths.size());
            int itsLargest = largestOfMany(lengths, ends);
            if (itsLargest <= budget) {
                assertThat(ends.size()).isGreaterThanOrEqualTo(ranges.size());
                assertThat(ends.size() > ranges.size() || itsLargest >= largest).isTrue();
            }
        }
    }

    private static List<Integer> ends(int cuts, int count) {
        return IntStream.rangeClosed(1, count)
                .filter(end -> end == count || (cuts >> (end - 1) & 1) == 1)
                .boxed()
                .toList();
    }

    /** Tokens of the largest range of several sequences; one alone may be over the budget. */
    private static int largestOfMany(List<Integer> lengths, List<Integer> ends) {
        int from = 0;
        int largest = 0;
        for (int end : ends) {
            largest = end - from > 1 ? Math.max(largest, tokens(lengths, from, end)) : largest;
            from = end;
        }
        return largest;
    }
}
