package io.github.rlhf4j.transformer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.FusedKernels;
import io.github.rlhf4j.transformer.kernels.Kernels;
import io.github.rlhf4j.transformer.kernels.Nd4jKernels;
import io.github.rlhf4j.transformer.model.ParameterStore;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** AdamW's numbers, on both kernels, against PyTorch's and against the algorithm written out in double. */
class AdamWTest {

    private static final int MATRIX = 12;
    private static final int COUNT = MATRIX + 5;

    static Stream<Named<Kernels>> kernels() {
        ComputeBackend.ensureSelected();
        return Stream.of(Named.of("fused", new FusedKernels()), Named.of("nd4j", new Nd4jKernels()));
    }

    /** A matrix of 12 weights, which decay, and a vector of 5, which do not. */
    private static ParameterStore store() {
        ParameterStore store = new ParameterStore.Builder()
                .matrix("matrix", 4, 3)
                .vector("vector", 5)
                .allocate(DataType.FLOAT);
        set(store, normal(1, 1), true);
        return store;
    }

    private static double[] normal(long seed, double deviation) {
        double[] numbers = new double[COUNT];
        Arrays.setAll(
                numbers, i -> (float) (deviation * RandomKey.of(seed).child(i).gaussian()));
        return numbers;
    }

    private static void set(ParameterStore store, double[] numbers, boolean values) {
        for (int i = 0; i < numbers.length; i++) {
            (values ? store.values() : store.gradients()).putScalar(i, numbers[i]);
        }
    }

    private static double[] values(ParameterStore store) {
        double[] values = new double[(int) store.count()];
        Arrays.setAll(values, i -> store.values().getDouble(i));
        return values;
    }

    /** Loshchilov and Hutter 2019, algorithm 2, one weight at a time: m̂ and v̂ are formed, nothing is folded together. */
    private static final class Reference {

        private final AdamWConfig config;
        private final double[] w;
        private final double[] m;
        private final double[] v;
        private int t;

        Reference(AdamWConfig config, double[] w) {
            this.config = config;
            this.w = w;
            this.m = new double[w.length];
            this.v = new double[w.length];
        }

        void step(double[] gradient, double rate) {
            t++;
            double norm = Math.sqrt(Arrays.stream(gradient).map(x -> x * x).sum());
            double scale = Math.min(1, config.maxGradientNorm() / norm);
            for (int i = 0; i < w.length; i++) {
                double g = gradient[i] * scale;
                m[i] = config.beta1() * m[i] + (1 - config.beta1()) * g;
                v[i] = config.beta2() * v[i] + (1 - config.beta2()) * g * g;
                double mHat = m[i] / (1 - Math.pow(config.beta1(), t));
                double vHat = v[i] / (1 - Math.pow(config.beta2(), t));
                double decay = i < MATRIX ? config.weightDecay() * w[i] : 0;
                w[i] -= rate * (mHat / (Math.sqrt(vHat) + config.epsilon()) + decay);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void severalStepsAreTheAlgorithmsClippedAndNot(Kernels kernels) {
        // ε as large as the gradients, so that its place shows; norms on both sides of the limit.
        AdamWConfig config = new AdamWConfig(0.9, 0.95, 0.3, 0.1, 2.0);
        try (ParameterStore store = store();
                AdamW optimizer = new AdamW(config, store, kernels)) {
            Reference reference = new Reference(config, values(store));
            boolean[] clipped = new boolean[8];
            for (int t = 0; t < clipped.length; t++) {
                double[] gradient = normal(10 + t, t % 2 == 0 ? 0.1 : 3);
                set(store, gradient, false);
                UpdateReport report = optimizer.update(0.01 * (t + 1));
                reference.step(gradient, 0.01 * (t + 1));
                clipped[t] = report.clipped();
                double norm = Math.sqrt(Arrays.stream(gradient).map(x -> x * x).sum());
                assertThat(report.gradientNorm()).isCloseTo(norm, within(1e-4));
                assertThat(values(store)).as("step %d", t + 1).containsExactly(reference.w, within(3e-6));
                assertThat(store.gradients().amaxNumber().doubleValue()).isZero();
            }
            assertThat(clipped).containsExactly(false, true, false, true, false, true, false, true);
            assertThat(optimizer.steps()).isEqualTo(8);
        }
    }

    /** One weight with ε of a tenth of the gradients: PyTorch's numbers, not TensorFlow's and ND4J's. */
    @ParameterizedTest
    @MethodSource("kernels")
    void theGoldenIsPyTorchs(Kernels kernels) throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(SharedData.file("goldens/rl-math.json").toFile())
                .get("adam_eps");
        JsonNode betas = golden.get("betas");
        AdamWConfig config = new AdamWConfig(
                betas.get(0).asDouble(),
                betas.get(1).asDouble(),
                golden.get("eps").asDouble(),
                0,
                Double.POSITIVE_INFINITY);
        try (ParameterStore store = new ParameterStore.Builder().vector("w", 1).allocate(DataType.FLOAT);
                AdamW optimizer = new AdamW(config, store, kernels)) {
            for (int t = 0; t < golden.get("grads").size(); t++) {
                store.gradients().putScalar(0, golden.get("grads").get(t).asDouble());
                optimizer.update(golden.get("lr").asDouble());
                assertThat(store.values().getDouble(0))
                        .isCloseTo(golden.get("pytorch").get(t).asDouble(), within(3e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void atLearningRateZeroNothingMovesToTheBit(Kernels kernels) {
        try (ParameterStore store = store();
                AdamW optimizer = new AdamW(AdamWConfig.gpt3(), store, kernels)) {
            double[] before = values(store);
            for (int t = 0; t < 3; t++) {
                set(store, normal(t, 1e-4), false);
                optimizer.update(0);
            }
            assertThat(values(store)).containsExactly(before);
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void withoutGradientsOnlyMatricesDecay(Kernels kernels) {
        try (ParameterStore store = store();
                AdamW optimizer = new AdamW(AdamWConfig.gpt3().withWeightDecay(0.5), store, kernels)) {
            double[] before = values(store);
            optimizer.update(0.1);
            double[] after = values(store);
            for (int i = 0; i < COUNT; i++) {
                assertThat(after[i])
                        .isCloseTo(i < MATRIX ? 0.95 * before[i] : before[i], within(i < MATRIX ? 1e-6 : 0));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void aGradientThatIsNotFiniteMovesNothingAndIsForgotten(Kernels kernels) {
        try (ParameterStore store = store();
                AdamW optimizer = new AdamW(AdamWConfig.gpt3(), store, kernels)) {
            double[] before = values(store);
            for (float broken : List.of(Float.NaN, Float.POSITIVE_INFINITY)) {
                store.gradients().putScalar(3, broken);
                assertThatThrownBy(() -> optimizer.update(0.1))
                        .isInstanceOf(DivergenceException.class)
                        .hasMessageContaining("optimiser step 1");
                assertThat(values(store)).containsExactly(before);
                assertThat(store.gradients().amaxNumber().doubleValue()).isZero();
            }
            assertThat(optimizer.steps()).isZero();
        }
    }
}
