package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Packed weights against the sum of products in double, over shapes that fill no panel. */
class PackedLinearTest {

    static {
        ComputeBackend.ensureSelected();
    }

    private static final Arena ARENA = new Arena(DataType.FLOAT);

    private static INDArray normal(long seed, long... shape) {
        INDArray larger = Nd4j.create(DataType.FLOAT, Arrays.stream(shape).reduce(1, (a, b) -> a * b) + 5);
        Random random = new Random(seed);
        for (int i = 0; i < larger.length(); i++) {
            larger.putScalar(i, (float) random.nextGaussian());
        }
        long[] strides = shape.length == 1 ? new long[] {1} : new long[] {shape[1], 1};
        return Nd4j.create(larger.data(), shape, strides, 5, 'c');
    }

    private static double expected(INDArray in, float[][] weight, INDArray bias, int row, int column) {
        double sum = bias == null ? 0 : bias.getFloat(column);
        for (int k = 0; k < weight.length; k++) {
            sum += (double) in.getFloat(row, k) * weight[k][column];
        }
        return sum;
    }

    private static float[][] rounded(float[][] weight) {
        float[][] rounded = new float[weight.length][weight[0].length];
        for (int j = 0; j < weight[0].length; j++) {
            float largest = 0;
            for (float[] row : weight) {
                largest = Math.max(largest, Math.abs(row[j]));
            }
            for (int k = 0; k < weight.length; k++) {
                rounded[k][j] = largest / 127 * Math.round(weight[k][j] / (largest / 127));
            }
        }
        return rounded;
    }

    @Property(tries = 60)
    void isTheSumOfProducts(
            @ForAll @IntRange(min = 1, max = 11) int n,
            @ForAll @IntRange(min = 1, max = 70) int k,
            @ForAll @IntRange(min = 1, max = 200) int m,
            @ForAll WeightFormat format,
            @ForAll boolean head,
            @ForAll long seed) {
        INDArray in = normal(seed, n, k);
        INDArray weight = normal(seed + 1, head ? m : k, head ? k : m);
        INDArray bias = head ? null : normal(seed + 2, m);
        float[][] exact = (head ? weight.transpose() : weight).toFloatMatrix();
        float[][] used = format == WeightFormat.INT8 ? rounded(exact) : exact;
        for (Kernels kernels : new Kernels[] {new FusedKernels(), new Nd4jKernels()}) {
            PackedLinear packed = head ? kernels.packTransposed(weight, format) : kernels.pack(weight, bias, format);
            INDArray out = normal(seed + 3, n, m);
            packed.apply(in, out, ARENA);
            float[][] rows = new float[n][m];
            packed.apply(in, rows, ARENA);
            for (int row = 0; row < n; row++) {
                for (int column = 0; column < m; column++) {
                    double e = expected(in, used, bias, row, column);
                    assertThat((double) out.getFloat(row, column)).isCloseTo(e, within(1e-4));
                    assertThat(rows[row][column]).isEqualTo(out.getFloat(row, column));
                }
            }
        }
    }

    /** Large enough for several threads, one of them for the end that fills no panel. */
    @Property(tries = 6)
    void addsToASumAndFollowsItsWeights(@ForAll long seed, @ForAll WeightFormat format) {
        int n = 5;
        int k = 190;
        int m = 611;
        INDArray in = normal(seed, n, k);
        INDArray weight = normal(seed + 1, k, m);
        INDArray bias = normal(seed + 2, m);
        PackedLinear packed = new FusedKernels().pack(weight, bias, format);
        PackedLinear reference = new Nd4jKernels().pack(weight, bias, format);
        weight.muli(1.5);
        bias.muli(-2);
        packed.refresh();
        reference.refresh();
        INDArray sum = normal(seed + 3, n, m);
        INDArray expected = sum.dup('c');
        packed.addTo(sum, in, ARENA);
        reference.addTo(expected, in, ARENA);
        assertThat(sum.distance1(expected) / sum.length()).isLessThan(1e-5);
        assertThat(sum.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-3);
    }

    @Property(tries = 20)
    void aRowHasTheSameBitsAloneAndAmongOthers(
            @ForAll @IntRange(min = 2, max = 13) int n, @ForAll WeightFormat format, @ForAll long seed) {
        int k = 300;
        int m = 970;
        INDArray in = normal(seed, n, k);
        PackedLinear packed = new FusedKernels().pack(normal(seed + 1, k, m), normal(seed + 2, m), format);
        float[][] together = new float[n][m];
        packed.apply(in, together, ARENA);
        for (int row = 0; row < n; row++) {
            float[][] alone = new float[1][m];
            packed.apply(Rows.slice(in, row, row + 1), alone, ARENA);
            assertThat(alone[0]).isEqualTo(together[row]);
        }
    }

    /** A weight is moved by half a step at most: max |w| / 254 of its channel. */
    @Property(tries = 50)
    void aByteIsHalfAStepAwayAtMost(@ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int count) {
        float[] weights = new float[count];
        Random random = new Random(seed);
        float largest = 0;
        for (int i = 0; i < count; i++) {
            weights[i] = (float) random.nextGaussian();
            largest = Math.max(largest, Math.abs(weights[i]));
        }
        float[] rounded = weights.clone();
        Int8.round(rounded, 0, 1, count);
        for (int i = 0; i < count; i++) {
            assertThat(rounded[i]).isCloseTo(weights[i], within(1.0001f * largest / 254));
        }
    }

    @Example
    void aChannelOfZerosStaysZero() {
        float[] zeros = new float[5];
        Int8.round(zeros, 0, 1, 5);
        assertThat(zeros).containsOnly(0);
    }
}
