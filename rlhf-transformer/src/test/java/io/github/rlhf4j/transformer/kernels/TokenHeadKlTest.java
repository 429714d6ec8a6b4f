package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.ExactKlPenalty;
import io.github.rlhf4j.ppo.math.TokenLoss;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadGradient;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadKl;
import io.github.rlhf4j.transformer.kernels.Kernels.TokenHeadOutput;
import java.util.Arrays;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The token head's KL to a reference is that of ppo.math, which is held to its formula there. */
class TokenHeadKlTest {

    static {
        ComputeBackend.ensureSelected();
    }

    private static double[][] normal(RandomKey key, int rows, int columns, double scale) {
        double[][] matrix = new double[rows][columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                matrix[i][j] = scale * key.child(i).child(j).gaussian();
            }
        }
        return matrix;
    }

    private static double[] normal(RandomKey key, int count) {
        return normal(key, 1, count, 1)[0];
    }

    /** The table is the identity, so that the hidden states are the logits. */
    private static void agrees(
            Kernels kernels, DataType type, long seed, int rows, int vocabulary, double temperature, double tolerance) {
        RandomKey key = RandomKey.of(seed);
        double[][] logits = normal(key.child("logits"), rows, vocabulary, 3);
        double[][] reference = normal(key.child("reference"), rows, vocabulary, 3);
        double[] weights = normal(key.child("weights"), rows);
        double[] kls = new double[rows];
        try (Arena arena = new Arena(type);
                INDArray identity = Nd4j.eye(vocabulary).castTo(type);
                INDArray hidden = Nd4j.create(logits).castTo(type);
                INDArray other = Nd4j.create(reference).castTo(type);
                INDArray dHidden = Nd4j.create(type, rows, vocabulary)) {
            kernels.tokenHead(
                    hidden,
                    identity,
                    new int[rows],
                    temperature,
                    new TokenHeadOutput(new double[rows], null, null, new TokenHeadKl(other, identity, kls)),
                    new TokenHeadGradient(new double[rows], null, null, weights, dHidden, null),
                    arena);
            for (int i = 0; i < rows; i++) {
                TokenLoss expected = ExactKlPenalty.evaluate(
                        new double[][] {over(logits[i], temperature)},
                        new double[][] {over(reference[i], temperature)},
                        new double[] {weights[i]});
                assertThat(weights[i] * kls[i]).as("KL, seed %d", seed).isCloseTo(expected.loss(), within(tolerance));
                double[] gradient = over(expected.gradient()[0], temperature);
                for (int v = 0; v < vocabulary; v++) {
                    assertThat(dHidden.getDouble(i, v))
                            .as("gradient, seed %d", seed)
                            .isCloseTo(gradient[v], within(tolerance));
                }
            }
        }
    }

    private static double[] over(double[] values, double temperature) {
        return Arrays.stream(values).map(x -> x / temperature).toArray();
    }

    @Property(tries = 20)
    void theReferenceKernelsInDouble(
            @ForAll @IntRange(min = 1, max = 9) int rows,
            @ForAll @IntRange(min = 1, max = 40) int vocabulary,
            @ForAll @DoubleRange(min = 0.5, max = 2) double temperature,
            @ForAll long seed) {
        agrees(new Nd4jKernels(), DataType.DOUBLE, seed, rows, vocabulary, temperature, 1e-10);
    }

    /** Log-ratios of some tens, each rounded by 1e-6. */
    @Property(tries = 20)
    void theFusedKernelsInFloat(
            @ForAll @IntRange(min = 1, max = 9) int rows,
            @ForAll @IntRange(min = 1, max = 40) int vocabulary,
            @ForAll @DoubleRange(min = 0.5, max = 2) double temperature,
            @ForAll long seed) {
        agrees(new FusedKernels(), DataType.FLOAT, seed, rows, vocabulary, temperature, 1e-4);
    }

    /** More rows than go through the head at a time, of which there are fewer than without a reference. */
    @Example
    void inChunksAsRowByRow() {
        int vocabulary = 1 << 20;
        int rows = 5;
        assertThat(new TokenHeadOutput(new double[rows], null).rowsAtOnce(rows, vocabulary))
                .isEqualTo(4);
        RandomKey key = RandomKey.of(1);
        int[] targets = {3, 1, 4, 1, 5};
        double[] zeros = new double[rows];
        double[] k = normal(key.child("k"), rows);
        for (Kernels kernels : new Kernels[] {new Nd4jKernels(), new FusedKernels()}) {
            double[] kls = new double[rows];
            try (Arena arena = new Arena(DataType.FLOAT);
                    INDArray hidden =
                            Nd4j.create(normal(key.child("h"), rows, 2, 1)).castTo(DataType.FLOAT);
                    INDArray other =
                            Nd4j.create(normal(key.child("o"), rows, 2, 1)).castTo(DataType.FLOAT);
                    INDArray table = Nd4j.rand(DataType.FLOAT, vocabulary, 2);
                    INDArray dHidden = Nd4j.create(DataType.FLOAT, rows, 2)) {
                TokenHeadOutput out =
                        new TokenHeadOutput(new double[rows], null, null, new TokenHeadKl(other, table, kls));
                assertThat(out.rowsAtOnce(rows, vocabulary)).isEqualTo(2);
                kernels.tokenHead(
                        hidden,
                        table,
                        targets,
                        1,
                        out,
                        new TokenHeadGradient(zeros, null, null, k, dHidden, null),
                        arena);
                for (int i = 0; i < rows; i++) {
                    double[] alone = new double[1];
                    try (INDArray dAlone = Nd4j.create(DataType.FLOAT, 1, 2)) {
                        kernels.tokenHead(
                                Rows.slice(hidden, i, i + 1),
                                table,
                                new int[] {targets[i]},
                                1,
                                new TokenHeadOutput(
                                        new double[1],
                                        null,
                                        null,
                                        new TokenHeadKl(Rows.slice(other, i, i + 1), table, alone)),
                                new TokenHeadGradient(new double[1], null, null, new double[] {k[i]}, dAlone, null),
                                arena);
                        assertThat(kls[i]).isPositive().isCloseTo(alone[0], within(1e-5));
                        for (int j = 0; j < 2; j++) {
                            assertThat(dHidden.getDouble(i, j)).isCloseTo(dAlone.getDouble(0, j), within(1e-5));
                        }
                    }
                }
            }
        }
    }
}
