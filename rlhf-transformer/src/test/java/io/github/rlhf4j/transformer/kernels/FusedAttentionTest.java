package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class FusedAttentionTest {

    /**
     * Of the largest number expected. A float has 2⁻²⁴ = 6e-8 of rounding per operation; scores of some units turn an
     * absolute error of 1e-6 into a relative one of the weights, and a few hundred terms add theirs.
     */
    private static final double TOLERANCE = 1e-5;

    /** The reference runs in double, so that the whole difference is this class's. */
    @Property(tries = 25)
    void isTheReferenceInValuesAndGradients(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 3) int groups,
            @ForAll @IntRange(min = 1, max = 4) int heads,
            @ForAll @IntRange(min = 1, max = 17) int headSize,
            @ForAll @Size(min = 1, max = 5) List<@IntRange(min = 1, max = 70) Integer> lengths) {
        AttentionCase c = AttentionCase.of(
                seed,
                new AttentionShape(groups * heads, heads, headSize),
                lengths.stream().mapToInt(i -> i).toArray());
        isTheReference(c);
    }

    private static void isTheReference(AttentionCase c) {
        for (FusedAttention attention : both()) {
            assertClose(c.forward(attention), c.toDouble().expectedOut());
            assertClose(c.backward(attention), c.toDouble().expectedGradient());
        }
    }

    /** Heads by panels, and by BLAS. */
    private static List<FusedAttention> both() {
        assertThat(PanelLoops.ACTIVE).as("needs the Vector API").isNotNull();
        return List.of(new FusedAttention(Parallel::each, PanelLoops.ACTIVE), new FusedAttention(Parallel::each, null));
    }

    /** Queries are computed in blocks; longer sequences take several, of which the last is not full. */
    @Example
    void isTheReferenceAcrossBlocksOfQueries() {
        for (int length : new int[] {127, 128, 129, 300}) {
            isTheReference(AttentionCase.of(length, new AttentionShape(4, 2, 5), length, 3));
            isTheReference(AttentionCase.of(length, AttentionShape.multiHead(1, 64), length, 49));
        }
    }

    /** softmax(s + const) = softmax(s), also where exp(s) is not a float any more. */
    @Example
    void largeScoresDoNotOverflow() {
        AttentionCase c = AttentionCase.of(1, AttentionShape.multiHead(2, 8), 20, 5);
        c.qkv().muli(30);
        assertThat(c.toDouble().expectedOut()).doesNotContain(Double.NaN);
        // scores of up to some thousands: a relative rounding of 6e-8 of them is 1e-4 in the exponent
        assertClose(c.forward(new FusedAttention()), c.toDouble().expectedOut(), 1e-3);
        assertClose(c.backward(new FusedAttention()), c.toDouble().expectedGradient(), 1e-2);
    }

    @Property(tries = 10)
    void aSequenceHasTheSameBitsWhateverItsBatchMatesAre(
            @ForAll long seed, @ForAll @Size(min = 2, max = 5) List<@IntRange(min = 1, max = 140) Integer> lengths) {
        AttentionCase all = AttentionCase.of(
                seed,
                AttentionShape.multiHead(3, 5),
                lengths.stream().mapToInt(i -> i).toArray());
        for (FusedAttention attention : both()) {
            float[] out = all.forward(attention);
            float[] dQkv = all.backward(attention);
            for (int i = 0; i < lengths.size(); i++) {
                AttentionCase one = all.alone(i);
                assertThat(one.forward(attention)).isEqualTo(rowsOf(all, i, out));
                assertThat(one.backward(attention)).isEqualTo(rowsOf(all, i, dQkv));
            }
        }
    }

    @Example
    void theNumberOfThreadsDoesNotMatter() {
        AttentionCase c = AttentionCase.of(7, new AttentionShape(4, 2, 8), 50, 1, 33, 140, 2, 70);
        FusedAttention one =
                new FusedAttention((count, task) -> IntStream.range(0, count).forEach(task::run), PanelLoops.ACTIVE);
        try (ThreadCrew threads = new ThreadCrew(2)) {
            FusedAttention two = new FusedAttention(threads::each, PanelLoops.ACTIVE);
            for (int repetition = 0; repetition < 5; repetition++) {
                assertThat(c.forward(two)).isEqualTo(c.forward(one));
                assertThat(c.backward(two)).isEqualTo(c.backward(one));
            }
        }
    }

    /** Activations are views into an arena, not arrays of their own. */
    @Example
    void readsAndWritesViewsIntoLargerArrays() {
        AttentionCase c = AttentionCase.of(11, AttentionShape.multiHead(2, 5), 20, 7);
        try (Arena arena = new Arena(DataType.FLOAT)) {
            arena.takeZeros(13);
            INDArray qkv = arena.take(c.qkv().shape()).assign(c.qkv());
            INDArray before = arena.takeZeros(9);
            INDArray out = arena.take(c.dOut().shape());
            INDArray after = arena.takeZeros(9);
            new FusedAttention().forward(c.packed(), c.shape(), qkv, out);
            assertThat(out.dup().data().asFloat()).isEqualTo(c.forward(new FusedAttention()));
            assertThat(before.sumNumber().doubleValue() + after.sumNumber().doubleValue())
                    .isZero();
        }
    }

    /** Heads of several sizes share one pool of scratch memory, from several threads at once. */
    @Example
    void oneObjectServesSeveralThreadsAtOnce() {
        FusedAttention attention = new FusedAttention();
        List<AttentionCase> cases = IntStream.range(0, 12)
                .mapToObj(i ->
                        AttentionCase.of(i, new AttentionShape(2 + 2 * (i % 3), 1 + i % 3, 3 + i % 4), 5 + 13 * i, 4))
                .toList();
        List<float[]> alone =
                cases.stream().map(c -> c.backward(new FusedAttention())).toList();
        IntStream.range(0, 60)
                .parallel()
                .forEach(i -> assertThat(cases.get(i % 12).backward(attention)).isEqualTo(alone.get(i % 12)));
    }

    @Example
    void refusesOtherTypesThanFloat() {
        AttentionCase c = AttentionCase.of(1, AttentionShape.multiHead(1, 2), 3);
        assertThatThrownBy(() -> new FusedAttention()
                        .forward(c.packed(), c.shape(), c.toDouble().qkv(), c.dOut()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("DOUBLE")
                .hasMessageContaining("Nd4jKernels");
    }

    private static float[] rowsOf(AttentionCase c, int i, float[] matrix) {
        int columns = matrix.length / c.packed().rows();
        return Arrays.copyOfRange(
                matrix, c.packed().start(i) * columns, c.packed().start(i + 1) * columns);
    }

    static void assertClose(float[] actual, double[] expected) {
        assertClose(actual, expected, TOLERANCE);
    }

    static void assertClose(float[] actual, double[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        double worst = IntStream.range(0, expected.length)
                .mapToDouble(i -> {
                    double difference = Math.abs(actual[i] - expected[i]);
                    return Double.isNaN(difference) ? Double.POSITIVE_INFINITY : difference;
                })
                .max()
                .orElse(0);
        assertThat(worst).as("largest difference").isLessThanOrEqualTo(tolerance * Math.max(1, largest));
    }
}
