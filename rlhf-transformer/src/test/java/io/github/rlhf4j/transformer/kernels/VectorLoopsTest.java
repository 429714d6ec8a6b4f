package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.assertj.core.data.Offset;
import org.jspecify.annotations.Nullable;

/** Both implementations against the formulas in double, over ranges that begin and end anywhere. */
class VectorLoopsTest {

    private static final int PADDING = 16;

    /** The tests' virtual machine has the module; without it these tests must fail, not pass on one implementation. */
    private static VectorLoops[] implementations() {
        try {
            return new VectorLoops[] {new ScalarLoops(), VectorLoopsChoice.simd()};
        } catch (ReflectiveOperationException e) {
            throw new AssertionError("run the tests with --add-modules " + VectorLoopsChoice.MODULE, e);
        }
    }

    private static float[] random(long seed, int length, float scale) {
        Random random = new Random(seed);
        float[] x = new float[length];
        for (int i = 0; i < length; i++) {
            x[i] = scale * (float) random.nextGaussian();
        }
        return x;
    }

    @Example
    void theVectorApiIsUsedWhereItsModuleIsPresent() {
        assertThat(VectorLoops.ACTIVE.description()).startsWith("Vector API");
        assertThat(new ScalarLoops().description()).isEqualTo("plain Java");
    }

    /** A run would not repeat itself to the bit if a sum changed when the compiler gets to it, as on Java 25 reduceLanes does. */
    @Example
    void aSumHasTheSameBitsInterpretedAndCompiled() throws ReflectiveOperationException {
        VectorLoops loops = VectorLoopsChoice.simd();
        float[] x = random(1, 1024, 1);
        float[] y = random(2, 1024, 1);
        for (int i = 0; i < 30_000; i++) {
            assertThat(loops.sum(x, 0, x.length)).isEqualTo(inOrder(x, null));
            assertThat(loops.dot(x, 0, x.length, y, 0)).isEqualTo(inOrder(x, y));
        }
    }

    /** What vectors of 16, 8 or 4 floats add up to, lane by lane; the tests' machine decides which. */
    private static double inOrder(float[] x, float @Nullable [] y) {
        float[] lanes = new float[FloatLanes.COUNT];
        for (int i = 0; i < x.length; i++) {
            int lane = i % lanes.length;
            lanes[lane] = y == null ? lanes[lane] + x[i] : Math.fma(x[i], y[i], lanes[lane]);
        }
        float total = 0;
        for (float lane : lanes) {
            total += lane;
        }
        return total;
    }

    /** Floats in a vector, from the description of the loops. */
    private static final class FloatLanes {
        static final int COUNT =
                Integer.parseInt(VectorLoops.ACTIVE.description().replaceAll("\\D+", "")) / Float.SIZE;
    }

    /** Float lanes over up to 1,024 elements: an absolute error of some 128 additions' rounding, 2⁻²⁴ each. */
    @Property(tries = 200)
    void sumsAndMaximaCoverEveryElementOfARange(
            @ForAll long seed, @ForAll @IntRange(max = 20) int from, @ForAll @IntRange(max = 3000) int length) {
        float[] x = random(seed, from + length + 3, 1);
        float[] y = random(seed + 1, from + length + 3, 1);
        double sum = 0;
        double dot = 0;
        double size = 1;
        float max = Float.NEGATIVE_INFINITY;
        for (int i = from; i < from + length; i++) {
            sum += x[i];
            dot += (double) x[i] * y[i + 3];
            size += Math.abs(x[i]) + Math.abs(x[i] * y[i + 3]);
            max = Math.max(max, x[i]);
        }
        for (VectorLoops loops : implementations()) {
            assertThat(loops.sum(x, from, from + length)).isCloseTo(sum, within(1e-6 * size));
            assertThat(loops.dot(x, from, from + length, y, from + 3)).isCloseTo(dot, within(1e-6 * size));
            assertThat(loops.max(x, from, from + length)).isEqualTo(max);
        }
    }

    @Property(tries = 100)
    void exponentialsAreWithinTheirRelativeErrorAndLeaveTheRestAlone(
            @ForAll long seed, @ForAll @IntRange(max = 20) int from, @ForAll @IntRange(max = 300) int length) {
        float[] x = random(seed, from + length + 5, 20);
        for (int i = 0; i < x.length; i++) {
            x[i] = Math.max(-80, Math.min(80, x[i])); // beyond, e to the x is not a normal float
        }
        int to = from + length;
        for (VectorLoops loops : implementations()) {
            float[] e = x.clone();
            loops.exp(x, e, from, to);
            float[] shifted = x.clone();
            double sum = loops.expOfDifference(shifted, 3, from, to);
            double expected = 0;
            for (int i = 0; i < x.length; i++) {
                boolean inside = i >= from && i < to;
                assertThat((double) e[i]).isCloseTo(inside ? Math.exp(x[i]) : x[i], relative(inside, e[i]));
                double difference = Math.exp(x[i] - 3);
                assertThat((double) shifted[i]).isCloseTo(inside ? difference : x[i], relative(inside, shifted[i]));
                expected += inside ? difference : 0;
            }
            assertThat(sum).isCloseTo(expected, within(1e-6 * (1e-30 + expected)));
        }
    }

    private static Offset<Double> relative(boolean inside, float value) {
        return within(inside ? FloatMath.EXP_ERROR * Math.abs(value) + 1e-37 : 0.0);
    }

    @Example
    void exponentialsOfExtremesAreClampedAndNotANumberStays() {
        float[] x = new float[19];
        Arrays.fill(x, Float.NaN);
        x[1] = Float.NEGATIVE_INFINITY;
        x[2] = 1e9f;
        x[17] = -1e9f;
        for (VectorLoops loops : implementations()) {
            float[] e = new float[19];
            loops.exp(x, e, 0, 19);
            assertThat(e[0]).isNaN();
            assertThat(e[18]).isNaN();
            assertThat(e[1]).isBetween(0f, 2e-38f);
            assertThat(e[17]).isBetween(0f, 2e-38f);
            assertThat(e[2]).isGreaterThan(1e38f).isLessThan(Float.POSITIVE_INFINITY);
            assertThat(loops.max(x, 0, 19)).isNaN();
        }
    }

    /** Float32 of a product of up to 30 and a sigmoid: absolute error some units in the last place of the value. */
    @Property(tries = 100)
    void geluAndItsGradientAreTheFormulas(@ForAll long seed, @ForAll @IntRange(min = 1, max = 300) int length) {
        float[] x = random(seed, length + PADDING, 4);
        float[] d = random(seed + 1, length + PADDING, 1);
        for (VectorLoops loops : implementations()) {
            float[] y = new float[length + PADDING];
            loops.gelu(x, y, length);
            float[] dIn = d.clone();
            loops.geluGradient(x, dIn, length);
            for (int i = 0; i < length; i++) {
                double v = x[i];
                double tanh = Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v));
                double slope = 0.5 * (1 + tanh)
                        + 0.5 * v * (1 - tanh * tanh) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * v * v);
                assertThat((double) y[i]).isCloseTo(0.5 * v * (1 + tanh), within(2e-6 * (1 + Math.abs(v))));
                assertThat((double) dIn[i]).isCloseTo(d[i] * slope, within(1e-5 * (1 + Math.abs(d[i]))));
            }
        }
    }

    /** A row's place in a block depends on its batch-mates: its bits must not. */
    @Property(tries = 50)
    void geluOfAnElementHasTheSameBitsWhereverItStands(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int shift) {
        float[] x = random(seed, 64, 3);
        float[] moved = new float[64 + shift + PADDING];
        System.arraycopy(x, 0, moved, shift, 64);
        for (VectorLoops loops : implementations()) {
            float[] y = new float[64 + PADDING];
            float[] movedY = new float[moved.length];
            loops.gelu(Arrays.copyOf(x, 64 + PADDING), y, 64);
            loops.gelu(moved, movedY, 64 + shift);
            assertThat(Arrays.copyOfRange(movedY, shift, shift + 64)).isEqualTo(Arrays.copyOf(y, 64));
        }
    }

    @Property(tries = 100)
    void scalingAndTheSoftmaxGradientTouchTheRangeAlone(
            @ForAll long seed, @ForAll @IntRange(max = 20) int from, @ForAll @IntRange(max = 100) int length) {
        float[] w = random(seed, from + length + 5, 1);
        float[] g = random(seed + 1, from + length + 5, 1);
        int to = from + length;
        for (VectorLoops loops : implementations()) {
            float[] scaled = w.clone();
            loops.scale(scaled, 1.5f, from, to);
            float[] gradient = g.clone();
            loops.softmaxGradient(gradient, w, 0.25f, from, to);
            for (int i = 0; i < w.length; i++) {
                boolean inside = i >= from && i < to;
                assertThat(scaled[i]).isEqualTo(inside ? w[i] * 1.5f : w[i]);
                assertThat(gradient[i]).isEqualTo(inside ? w[i] * (g[i] - 0.25f) : g[i]);
            }
        }
    }

    @Property(tries = 60)
    void weightedRowsAreAddedToASum(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 9) int sixteens,
            @ForAll @IntRange(max = 70) int count) {
        int width = 16 * sixteens;
        float[] weights = random(seed, count + 3, 1);
        float[] rows = random(seed + 1, count * width + 5, 1);
        float[] before = random(seed + 2, width + 9, 1);
        for (VectorLoops loops : implementations()) {
            float[] sum = before.clone();
            loops.addWeightedRows(weights, 3, count, rows, 5, width, sum, 7);
            for (int j = 0; j < sum.length; j++) {
                double expected = before[j];
                for (int i = 0; i < count && j >= 7 && j < 7 + width; i++) {
                    expected += (double) weights[3 + i] * rows[5 + i * width + j - 7];
                }
                assertThat((double) sum[j]).isCloseTo(expected, within(1e-4));
            }
        }
    }
}
