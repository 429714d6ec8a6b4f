package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.ppo.PackageClasses;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The closed-form gradient of each objective against central differences of its loss, in double. */
class ObjectiveGradientTest {

    private static final double STEP = 1e-5;

    /** Away from the corners of max and clip, where a loss has no derivative, by more than the step. */
    private static final double CORNER = 1e-4;

    /** Loss and gradient with respect to the first of three matrices of one shape. */
    private interface Objective {
        TokenLoss evaluate(double[][] x, double[][] second, double[][] third, double[] rowWeights);
    }

    /** Every objective, by the class it is in; some in several settings. */
    private static final Map<String, Map<String, Objective>> OBJECTIVES = new TreeMap<>(Map.of(
            "ClippedPolicyLoss",
            Map.of(
                    "plain", (x, old, a, w) -> policy(new ClippedPolicyLoss(0.2), x, old, a, w),
                    "asymmetric", (x, old, a, w) -> policy(new ClippedPolicyLoss(0.2, 0.28, 0), x, old, a, w),
                    "dual", (x, old, a, w) -> policy(new ClippedPolicyLoss(0.2, 0.2, 1.5), x, old, a, w)),
            "ClippedValueLoss",
            Map.of(
                    "clipped", (x, old, r, w) -> value(new ClippedValueLoss(0.2), x, old, r, w),
                    "unclipped", (x, old, r, w) -> value(new ClippedValueLoss(0), x, old, r, w)),
            "EntropyBonus",
            Map.of("bonus", (x, b, c, w) -> EntropyBonus.evaluate(x, 0.3, w)),
            "LanguageModelLoss",
            Map.of("loss", (x, b, c, w) -> LanguageModelLoss.evaluate(x, w)),
            "KlPenalty",
            Map.of(
                    "K1", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K1, x, ref, w),
                    "K2", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K2, x, ref, w),
                    "K3", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K3, x, ref, w))));

    private static TokenLoss policy(ClippedPolicyLoss loss, double[][] x, double[][] b, double[][] c, double[] w) {
        ClippedPolicyLoss.Result result = loss.evaluate(x, b, c, w);
        return new TokenLoss(result.loss(), result.gradient());
    }

    private static TokenLoss value(ClippedValueLoss loss, double[][] x, double[][] b, double[][] c, double[] w) {
        ClippedValueLoss.Result result = loss.evaluate(x, b, c, w);
        return new TokenLoss(result.loss(), result.gradient());
    }

    @Provide
    Arbitrary<double[][][]> threeMatrices() {
        return RaggedArbitraries.sameShape(3, 1.5);
    }

    @Property(tries = 200)
    void gradientsAreTheDerivativesOfTheLosses(
            @ForAll("threeMatrices") double[][][] inputs, @ForAll Aggregation aggregation) {
        Assume.that(awayFromCorners(inputs));
        double[] weights = aggregation.rowWeights(Ragged.lengths(inputs[0]), 5);
        OBJECTIVES.forEach((name, settings) -> settings.forEach((setting, objective) -> {
            double[][] gradient =
                    objective.evaluate(inputs[0], inputs[1], inputs[2], weights).gradient();
            double[][] numeric = centralDifferences(
                    inputs[0],
                    x -> objective.evaluate(x, inputs[1], inputs[2], weights).loss());
            for (int i = 0; i < gradient.length; i++) {
                for (int t = 0; t < gradient[i].length; t++) {
                    assertThat(gradient[i][t])
                            .as("%s (%s) at [%d][%d]", name, setting, i, t)
                            .isCloseTo(
                                    numeric[i][t],
                                    org.assertj.core.data.Offset.offset(1e-8 + 1e-6 * Math.abs(numeric[i][t])));
                }
            }
        }));
    }

    /** An objective is whatever returns a record with a loss and its gradient. One that is added needs a gradient test. */
    @Example
    void everyObjectiveOfThePackageHasAGradientTest() throws Exception {
        Set<String> found = new TreeSet<>();
        for (Class<?> type : PackageClasses.of(Ragged.class)) {
            if (Arrays.stream(type.getMethods()).anyMatch(ObjectiveGradientTest::returnsAGradient)) {
                found.add(type.getSimpleName());
            }
        }
        assertThat(found).isEqualTo(OBJECTIVES.keySet()).hasSizeGreaterThanOrEqualTo(5);
    }

    private static boolean returnsAGradient(Method method) {
        RecordComponent[] components = method.getReturnType().getRecordComponents();
        return components != null
                && Arrays.stream(components)
                        .anyMatch(component -> component.getName().equals("gradient"));
    }

    private static double[][] centralDifferences(double[][] x, ToDoubleFunction<double[][]> loss) {
        double[][] numeric = Ragged.zerosLike(x);
        double[][] moved = Ragged.map(x, v -> v);
        for (int i = 0; i < x.length; i++) {
            for (int t = 0; t < x[i].length; t++) {
                moved[i][t] = x[i][t] + STEP;
                double above = loss.applyAsDouble(moved);
                moved[i][t] = x[i][t] - STEP;
                double below = loss.applyAsDouble(moved);
                moved[i][t] = x[i][t];
                numeric[i][t] = (above - below) / (2 * STEP);
            }
        }
        return numeric;
    }

    private static boolean awayFromCorners(double[][][] inputs) {
        for (int i = 0; i < inputs[0].length; i++) {
            for (int t = 0; t < inputs[0][i].length; t++) {
                double difference = inputs[0][i][t] - inputs[1][i][t];
                double ratio = Math.exp(difference);
                boolean policyCorner = Stream.of(0.8, 1.2, 1.28, 1.5).anyMatch(c -> Math.abs(ratio - c) < CORNER);
                double clipped = inputs[1][i][t] + Math.max(-0.2, Math.min(0.2, difference));
                double target = inputs[2][i][t];
                boolean valueCorner = Math.abs(Math.abs(difference) - 0.2) < CORNER
                        || Math.abs(Math.abs(inputs[0][i][t] - target) - Math.abs(clipped - target)) < CORNER
                                && clipped != inputs[0][i][t];
                if (policyCorner || valueCorner) {
                    return false;
                }
            }
        }
        return true;
    }
}
