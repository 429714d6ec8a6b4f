package io.github.rlhf4j.ppo.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.Test;

/** The network's gradients by central differences, its start, and its optimiser. */
class MlpTest {

    private static final double STEP = 1e-5;
    private static final RandomKey KEY = RandomKey.of(5);

    private final Mlp mlp = Mlp.orthogonal(KEY, 0.7, 3, 6, 5, 2);
    private final double[][] observations = gaussians(KEY.child("observations"), 4, 3);

    private static double[][] gaussians(RandomKey key, int rows, int columns) {
        double[][] matrix = new double[rows][columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                matrix[i][j] = key.child(i).child(j).gaussian();
            }
        }
        return matrix;
    }

    private void assertGradients(DoubleSupplier loss) {
        double[][] gradients = mlp.gradients();
        double[][] parameters = mlp.parameters();
        for (int i = 0; i < parameters.length; i++) {
            for (int j = 0; j < parameters[i].length; j++) {
                double at = parameters[i][j];
                parameters[i][j] = at + STEP;
                double above = loss.getAsDouble();
                parameters[i][j] = at - STEP;
                double below = loss.getAsDouble();
                parameters[i][j] = at;
                assertThat(gradients[i][j])
                        .as("gradient of parameter %d of row %d", j, i)
                        .isCloseTo((above - below) / (2 * STEP), offset(1e-8));
            }
        }
    }

    @Test
    void theNetworksGradientIsThatOfCentralDifferences() {
        double[][] weights = gaussians(KEY.child("weights"), 4, 2);
        mlp.backward(mlp.forward(observations), weights);
        assertGradients(() -> {
            double[][] output = mlp.output(observations);
            double loss = 0;
            for (int i = 0; i < output.length; i++) {
                loss += weights[i][0] * output[i][0] + weights[i][1] * output[i][1];
            }
            return loss;
        });
    }

    @Test
    void thePolicysGradientIsThatOfCentralDifferences() {
        ControlPolicy policy = new ControlPolicy(mlp);
        int[] actions = {0, 1, 1, 0};
        double[] dLogProbs = {0.3, -1.2, 0.8, 2};
        double[] dEntropies = {-0.5, 0.7, 1.1, -2};
        policy.forward(observations, actions).backward(dLogProbs, dEntropies);
        assertGradients(() -> {
            ControlPolicy.Pass pass = policy.forward(observations, actions);
            double loss = 0;
            for (int i = 0; i < actions.length; i++) {
                loss += dLogProbs[i] * pass.logProbs()[i] + dEntropies[i] * pass.entropies()[i];
            }
            return loss;
        });
    }

    @Test
    void backwardPassesAddUpUntilAnUpdate() {
        double[][] weights = gaussians(KEY.child("weights"), 4, 2);
        Mlp.Pass pass = mlp.forward(observations);
        mlp.backward(pass, weights);
        double once = mlp.gradients()[0][0];
        mlp.backward(pass, weights);
        assertThat(mlp.gradients()[0][0]).isCloseTo(2 * once, offset(1e-12));
        new MlpModel(mlp, 1).update(0.1);
        assertThat(Ragged.sum(Ragged.map(mlp.gradients(), Math::abs))).isZero();
    }

    @Test
    void weightsBeginOrthogonal() {
        for (int[] shape : new int[][] {{4, 7}, {7, 4}, {5, 5}}) {
            double[][] matrix = OrthogonalMatrix.of(KEY, shape[0], shape[1], 1.5);
            double[][] shorter = shape[0] <= shape[1] ? matrix : Matrices.transpose(matrix);
            double[][] gram = Matrices.product(shorter, Matrices.transpose(shorter));
            for (int i = 0; i < gram.length; i++) {
                for (int j = 0; j < gram.length; j++) {
                    assertThat(gram[i][j]).isCloseTo(i == j ? 2.25 : 0, offset(1e-12));
                }
            }
        }
    }

    /** Adam's first step is the rate against the gradient's sign, but for ε; clipping changes the norm it sees. */
    @Test
    void theFirstUpdateMovesByTheRate() {
        double before = mlp.parameters()[0][0];
        mlp.gradients()[0][0] = -30;
        mlp.gradients()[0][1] = 40;
        UpdateReport report = new MlpModel(mlp, 0.5).update(0.01);
        assertThat(report.gradientNorm()).isCloseTo(50, offset(1e-9));
        assertThat(report.clipped()).isTrue();
        assertThat(mlp.parameters()[0][0] - before).isCloseTo(0.01 * 0.3 / (0.3 + 1e-5), offset(1e-12));
    }

    @Test
    void aGradientThatIsNotFiniteMovesNothing() {
        double[][] before = Arrays.stream(mlp.parameters()).map(double[]::clone).toArray(double[][]::new);
        mlp.gradients()[1][0] = Double.NaN;
        assertThatThrownBy(() -> new MlpModel(mlp, 1).update(0.1))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("norm NaN");
        assertThat(mlp.parameters()).isDeepEqualTo(before);
    }

    @Test
    void drawsFollowTheDistribution() {
        double[] logProbs = {Math.log(0.2), Math.log(0.5), Math.log(0.3)};
        assertThat(ControlPolicy.drawn(logProbs, 0)).isZero();
        assertThat(ControlPolicy.drawn(logProbs, 0.19)).isZero();
        assertThat(ControlPolicy.drawn(logProbs, 0.21)).isEqualTo(1);
        assertThat(ControlPolicy.drawn(logProbs, 0.69)).isEqualTo(1);
        assertThat(ControlPolicy.drawn(logProbs, 0.71)).isEqualTo(2);
    }
}
