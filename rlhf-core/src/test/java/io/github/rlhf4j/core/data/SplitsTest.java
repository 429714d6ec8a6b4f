package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.UniqueElements;
import org.junit.jupiter.api.Test;

class SplitsTest {

    /** Every item is on exactly one side, neither side is empty, and the order of the items does not matter. */
    @Property(tries = 300)
    void aDivisionDoesNotDependOnTheOrder(
            @ForAll @Size(min = 2, max = 40) @UniqueElements List<String> items,
            @ForAll @DoubleRange(min = 0.01, max = 0.99) double fraction,
            @ForAll long seed) {
        Splits.Parts<String> split = Splits.byKey(items, Function.identity(), fraction, seed);
        assertThat(split.train()).isNotEmpty();
        assertThat(split.heldOut()).isNotEmpty();
        List<String> together = new ArrayList<>(split.train());
        together.addAll(split.heldOut());
        assertThat(together).containsExactlyInAnyOrderElementsOf(items);

        List<String> shuffled = new ArrayList<>(items);
        Collections.shuffle(shuffled, new Random(seed));
        Splits.Parts<String> again = Splits.byKey(shuffled, Function.identity(), fraction, seed);
        assertThat(again.heldOut()).containsExactlyInAnyOrderElementsOf(split.heldOut());
    }

    @Test
    void theShareHeldOutIsTheOneAsked() {
        List<Integer> items = IntStream.range(0, 20_000).boxed().toList();
        Splits.Parts<Integer> split = Splits.byKey(items, i -> "word " + i, 0.1, 7);
        double sixSigma = 6 * Math.sqrt(0.1 * 0.9 / 20_000);
        assertThat(split.heldOut().size() / 20_000.0).isCloseTo(0.1, within(sixSigma));
        assertThat(split.heldOut()).isSorted();
        assertThat(split.train()).isSorted();
    }

    @Test
    void moreDataMovesNoItemToTheOtherSide() {
        List<Integer> all = IntStream.range(0, 2000).boxed().toList();
        Set<Integer> heldOut =
                new HashSet<>(Splits.byKey(all, i -> "word " + i, 0.2, 7).heldOut());
        Splits.Parts<Integer> part = Splits.byKey(all.subList(0, 500), i -> "word " + i, 0.2, 7);
        assertThat(heldOut).containsAll(part.heldOut()).doesNotContainAnyElementsOf(part.train());
    }

    @Test
    void itemsWithOneKeyStayTogether() {
        List<Integer> items = IntStream.range(0, 1000).boxed().toList();
        Splits.Parts<Integer> split = Splits.byKey(items, i -> "prompt " + i / 10, 0.3, 3);
        Set<Integer> trained = new HashSet<>();
        split.train().forEach(i -> trained.add(i / 10));
        assertThat(split.heldOut()).noneMatch(i -> trained.contains(i / 10));
    }

    @Test
    void anotherSeedGivesAnotherDivision() {
        List<Integer> items = IntStream.range(0, 1000).boxed().toList();
        assertThat(Splits.byKey(items, String::valueOf, 0.3, 1).heldOut())
                .isNotEqualTo(Splits.byKey(items, String::valueOf, 0.3, 2).heldOut());
    }

    @Test
    void impossibleDivisionsAreRefused() {
        for (double fraction : new double[] {0, 1, -0.1, Double.NaN}) {
            assertThatThrownBy(() -> Splits.byKey(List.of(1, 2), String::valueOf, fraction, 1))
                    .hasMessageContainingAll("(0, 1)", "got " + fraction);
        }
        assertThatThrownBy(() -> Splits.byKey(List.of(1, 1), String::valueOf, 0.5, 1))
                .hasMessageContainingAll("at least two different items, got 1", "give more data");
    }
}
