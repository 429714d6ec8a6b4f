package io.github.rlhf4j.transformer.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The value of the tanh form of GELU, which differs from the erf form in the fourth decimal (1.954500 at 2). */
class GeluTest {

    private static final float[] INPUTS = {2, 1, 0.5f, 0, -0.5f, -1, -2, 3, -3, 12, -12};

    static Stream<Named<Kernels>> kernels() {
        ComputeBackend.ensureSelected();
        return Stream.of(Named.of("fused", new FusedKernels()), Named.of("nd4j", new Nd4jKernels()));
    }

    private static INDArray inputs(Arena arena) {
        INDArray in = arena.take(1, INPUTS.length);
        in.assign(Nd4j.createFromArray(INPUTS).reshape(1, INPUTS.length));
        return in;
    }

    private static double tanhForm(double x) {
        return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    private static double slope(double x) {
        return (tanhForm(x + 1e-5) - tanhForm(x - 1e-5)) / 2e-5;
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void valuesAreThoseOfTheTanhForm(Kernels kernels) {
        try (Arena arena = new Arena(DataType.FLOAT)) {
            INDArray in = inputs(arena);
            INDArray out = arena.take(1, INPUTS.length);
            kernels.gelu(in, out, arena);
            assertThat(out.getDouble(0)).isCloseTo(1.954598, within(1e-5));
            assertThat(out.getDouble(1)).isCloseTo(0.841192, within(1e-5));
            assertThat(out.getDouble(5)).isCloseTo(-0.158808, within(1e-5));
            for (int i = 0; i < INPUTS.length; i++) {
                assertThat(out.getDouble(i)).as("GELU(%s)", INPUTS[i]).isCloseTo(tanhForm(INPUTS[i]), within(1e-5));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void slopesAreThoseOfTheTanhForm(Kernels kernels) {
        try (Arena arena = new Arena(DataType.FLOAT)) {
            INDArray in = inputs(arena);
            INDArray dOut = arena.take(1, INPUTS.length);
            dOut.assign(1);
            INDArray dIn = arena.take(1, INPUTS.length);
            kernels.geluBackward(dOut, in, dIn, arena);
            for (int i = 0; i < INPUTS.length; i++) {
                assertThat(dIn.getDouble(i)).as("GELU'(%s)", INPUTS[i]).isCloseTo(slope(INPUTS[i]), within(1e-5));
            }
        }
    }
}
