package io.github.rlhf4j.core.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/**
 * Statistics at fixed seeds, so that they pass or fail for good. The bounds on χ² with k − 1 degrees of freedom are its mean
 * plus six standard deviations, √(2(k − 1)) each.
 */
class RandomKeyTest {

    private static void assertUniform(int cells, int draws, IntToDoubleFunction uniform) {
        int[] counts = new int[cells];
        for (int i = 0; i < draws; i++) {
            counts[(int) (uniform.applyAsDouble(i) * cells)]++;
        }
        double expected = (double) draws / cells;
        double chiSquare = Arrays.stream(counts)
                .mapToDouble(n -> (n - expected) * (n - expected) / expected)
                .sum();
        assertThat(chiSquare).isLessThan(cells - 1 + 6 * Math.sqrt(2.0 * (cells - 1)));
    }

    @Test
    void childrenByNumberAreUniform() {
        RandomKey key = RandomKey.of(1);
        assertUniform(64, 100_000, i -> key.child(i).uniform());
        assertUniform(64, 100_000, i -> RandomKey.of(i).uniform());
        assertUniform(
                64, 100_000, i -> RandomKey.of(i).child("rollout").child(7).uniform());
        assertUniform(64, 100_000, i -> key.child("word" + i).uniform());
    }

    @Test
    void integersBelowABoundAreUniform() {
        RandomKey key = RandomKey.of(2);
        assertUniform(7, 70_000, i -> key.child(i).below(7) / 7.0 + 0.01);
    }

    /** Neighbouring children (tokens of one example, examples of one step) do not move together. */
    @Test
    void neighboursAreUncorrelated() {
        RandomKey key = RandomKey.of(3);
        int n = 100_000;
        double step = IntStream.range(0, n)
                .mapToDouble(
                        i -> (key.child(i).uniform() - 0.5) * (key.child(i + 1).uniform() - 0.5))
                .average()
                .orElseThrow();
        double level = IntStream.range(0, n)
                .mapToDouble(i ->
                        (key.child(i).uniform() - 0.5) * (key.child(i).child(0).uniform() - 0.5))
                .average()
                .orElseThrow();
        double sixSigma = 6.0 / 12 / Math.sqrt(n);
        assertThat(step).isCloseTo(0, within(sixSigma));
        assertThat(level).isCloseTo(0, within(sixSigma));
    }

    @Test
    void gaussiansHaveTheMomentsOfTheNormalDistribution() {
        RandomKey key = RandomKey.of(4);
        int n = 100_000;
        double[] draws =
                IntStream.range(0, n).mapToDouble(i -> key.child(i).gaussian()).toArray();
        assertThat(Arrays.stream(draws).average().orElseThrow()).isCloseTo(0, within(6 / Math.sqrt(n)));
        assertThat(Arrays.stream(draws).map(x -> x * x).average().orElseThrow())
                .isCloseTo(1, within(6 * Math.sqrt(2.0 / n)));
        assertThat(Arrays.stream(draws).map(x -> x * x * x * x).average().orElseThrow())
                .isCloseTo(3, within(6 * Math.sqrt(96.0 / n)));
        assertThat(Arrays.stream(draws).allMatch(Double::isFinite)).isTrue();
    }

    @Property(tries = 300)
    void aPermutationHasEachIndexOnce(@ForAll long seed, @ForAll @IntRange(max = 300) int n) {
        int[] order = RandomKey.of(seed).permutation(n);
        assertThat(Arrays.stream(order).sorted().toArray())
                .isEqualTo(IntStream.range(0, n).toArray());
    }

    /** Each of the 24 permutations of 4 comes as often as any other. */
    @Test
    void permutationsAreUniform() {
        RandomKey key = RandomKey.of(5);
        assertUniform(24, 48_000, i -> rankOf(key.child(i).permutation(4)) / 24.0 + 0.001);
    }

    /** Lehmer's number of a permutation, in [0, n!). */
    private static int rankOf(int[] order) {
        int rank = 0;
        for (int i = 0; i < order.length; i++) {
            int at = i;
            int smaller = (int) IntStream.range(i + 1, order.length)
                    .filter(j -> order[j] < order[at])
                    .count();
            rank = rank * (order.length - i) + smaller;
        }
        return rank;
    }

    /** A draw is a function of the path to it: what else was drawn, and in what order, does not matter. */
    @Property(tries = 200)
    void drawsDoNotDependOnOneAnother(@ForAll long seed, @ForAll @IntRange(max = 1000) int index) {
        double alone = RandomKey.of(seed).child("step").child(index).uniform();
        RandomKey shared = RandomKey.of(seed).child("step");
        for (int i = index + 3; i >= 0; i--) {
            shared.child(i).permutation(3);
            shared.child(i).gaussian();
        }
        assertThat(shared.child(index).uniform())
                .isEqualTo(alone)
                .isGreaterThanOrEqualTo(0)
                .isLessThan(1);
    }

    @Test
    void differentPathsGiveDifferentKeys() {
        Set<Long> seen = new HashSet<>();
        int keys = 0;
        for (long seed = 0; seed < 20; seed++) {
            for (String name : new String[] {"", "a", "b", "ab", "ba"}) {
                for (long index = -20; index < 20; index++) {
                    seen.add(RandomKey.of(seed).child(name).child(index).bits());
                    seen.add(RandomKey.of(seed).child(index).child(name).bits());
                    keys += 2;
                }
            }
        }
        assertThat(seen).hasSize(keys);
    }

    @Test
    void aBoundMustBePositive() {
        assertThatThrownBy(() -> RandomKey.of(1).below(0)).hasMessageContainingAll("positive", "0");
    }
}
