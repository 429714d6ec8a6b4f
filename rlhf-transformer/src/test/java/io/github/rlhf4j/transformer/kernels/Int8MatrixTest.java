package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.random.RandomKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Weights of a byte each, and the products of both implementations with them. */
class Int8MatrixTest {

    private static final Arena ARENA = new Arena(DataType.FLOAT);

    private final Kernels reference = new Nd4jKernels();
    private final Kernels fused = new FusedKernels();

    private static INDArray normal(long seed, long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        RandomKey key = RandomKey.of(seed);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, key.child((int) i).gaussian());
        }
        return array;
    }

    private static Int8Matrix rounded(INDArray weights) {
        Int8Matrix matrix =
                new Int8Matrix(Nd4j.zeros(DataType.INT8, weights.shape()), Nd4j.zeros(DataType.FLOAT, weights.size(1)));
        matrix.round(weights);
        return matrix;
    }

    private static INDArray floats(Int8Matrix matrix) {
        INDArray floats = Nd4j.create(DataType.FLOAT, matrix.rows(), matrix.columns());
        matrix.copyTo(floats);
        return floats;
    }

    @Test
    void theLargestOfAColumnIs127() {
        INDArray weights = Nd4j.createFromArray(new float[][] {{12.7f, 0, -1}, {0.1f, 0, 2.54f}, {-0.06f, 0, 0.009f}});
        Int8Matrix matrix = rounded(weights);
        assertThat(matrix.scales().toFloatVector()).containsExactly(new float[] {0.1f, 0, 0.02f}, within(1e-7f));
        assertThat(matrix.bytes().castTo(DataType.FLOAT).toFloatMatrix())
                .isDeepEqualTo(new float[][] {{127, 0, -50}, {1, 0, 127}, {-1, 0, 0}});
    }

    /** Rounding many rows is done in parts; what bytes hold already stays. */
    @Test
    void noWeightIsFurtherOffThanHalfAScale() {
        INDArray weights = normal(1, 1500, 800);
        Int8Matrix matrix = rounded(weights);
        INDArray error = floats(matrix).subi(weights);
        INDArray half = matrix.scales().mul(0.5 * (1 + 1e-4));
        assertThat(error.divRowVector(half).amaxNumber().doubleValue()).isBetween(0.99, 1.0);
        assertThat(rounded(floats(matrix)).bytes()).isEqualTo(matrix.bytes());
    }

    /**
     * Errors of rounding are uniform in ±scale/2: an output is off by at most scale/2·Σ|x|, and by scale/√12·‖x‖ in the root of
     * the mean square.
     */
    @Test
    void anOutputIsOffByWhatItsScaleExplains() {
        int k = 400;
        int m = 300;
        INDArray weights = normal(2, k, m);
        INDArray in = normal(3, 50, k);
        Int8Matrix matrix = rounded(weights);
        INDArray error = Nd4j.create(DataType.FLOAT, 50, m);
        fused.linear(in, matrix, null, error, ARENA);
        INDArray exact = Nd4j.create(DataType.FLOAT, 50, m);
        fused.linear(in, weights, null, exact);
        error.subi(exact);
        double squares = 0;
        for (int i = 0; i < 50; i++) {
            double absolute = in.getRow(i).norm1Number().doubleValue();
            double norm = in.getRow(i).norm2Number().doubleValue();
            for (int j = 0; j < m; j++) {
                double scale = matrix.scales().getDouble(j);
                assertThat(Math.abs(error.getDouble(i, j))).isLessThan(scale / 2 * absolute);
                squares += Math.pow(error.getDouble(i, j) / (scale / Math.sqrt(12) * norm), 2);
            }
        }
        assertThat(Math.sqrt(squares / (50 * m))).isCloseTo(1, within(0.05));
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 5, 7", "5, 130, 17", "130, 64, 200", "1100, 300, 700", "97, 1200, 1100", "2, 700, 1"})
    void fusedIsTheReference(int n, int k, int m) {
        Int8Matrix weight = rounded(normal(4, k, m));
        INDArray in = normal(5, n, k);
        INDArray bias = normal(6, m);
        INDArray dOut = normal(7, n, m);
        for (INDArray row : new INDArray[] {null, bias}) {
            INDArray expected = normal(8, n, m);
            INDArray actual = normal(8, n, m);
            reference.linear(in, weight, row, expected, ARENA);
            fused.linear(in, weight, row, actual, ARENA);
            assertClose(actual, expected, k);
            reference.addLinear(in, weight, row, expected, ARENA);
            fused.addLinear(in, weight, row, actual, ARENA);
            assertClose(actual, expected, k);
            fused.pack(weight, row).addTo(actual, in, ARENA);
            reference.pack(weight, row).addTo(expected, in, ARENA);
            assertClose(actual, expected, k);
        }
        INDArray expected = normal(9, n, k);
        INDArray actual = normal(9, n, k);
        reference.linearBackward(dOut, weight, expected, ARENA);
        fused.linearBackward(dOut, weight, actual, ARENA);
        assertClose(actual, expected, m);
        INDArray floats = Nd4j.create(DataType.FLOAT, n, k);
        reference.linearBackward(dOut, in, floats(weight), floats, null, null, ARENA);
        assertClose(expected, floats, m);
    }

    private static void assertClose(INDArray actual, INDArray expected, int terms) {
        assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-5 * (10 + 3 * Math.sqrt(terms)));
    }

    @Test
    void whatIsNoNumberIsRefused() {
        INDArray weights = normal(1, 3, 3);
        weights.putScalar(4, Float.NaN);
        assertThatThrownBy(() -> rounded(weights)).hasMessageContaining("must be finite to be held as int8, got NaN");
    }
}
