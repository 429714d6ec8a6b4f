package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

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

/**
 * The closed-form gradient of each objective against central differences of its loss, and against exact forward
 * differentiation of the paper's formula ({@link ObjectiveFormulas}).
 */
class ObjectiveGradientTest {

    private static final double STEP = 1e-5;

    /** Away from the corners of max and clip, where a loss has no derivative, by more than the step. */
    private static final double CORNER = 1e-4;

    private static final double EXACT = 1e-9;

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
            "GspoLoss",
            Map.of("sequence ratio", (x, old, a, w) -> policy(new GspoLoss(0.2, 0.28), x, old, a, w)),
            "CispoLoss",
            Map.of(
                    "both limits", (x, old, a, w) -> policy(new CispoLoss(0.2, 0.28), x, old, a, w),
                    "upper limit", (x, old, a, w) -> policy(new CispoLoss(1, 0.28), x, old, a, w)),
            "ReinforceLoss",
            Map.of("loss", (x, old, a, w) -> policy(new ReinforceLoss(), x, old, a, w)),
            "ClippedValueLoss",
            Map.of(
                    "clipped", (x, old, r, w) -> value(new ClippedValueLoss(0.2), x, old, r, w),
                    "unclipped", (x, old, r, w) -> value(new ClippedValueLoss(0), x, old, r, w)),
            "EntropyBonus",
            Map.of("bonus", (x, b, c, w) -> EntropyBonus.evaluate(x, 0.3, w)),
            "LanguageModelLoss",
            Map.of("loss", (x, b, c, w) -> LanguageModelLoss.evaluate(x, w)),
            "ExactKlPenalty",
            Map.of("KL", (x, b, c, w) -> ExactKlPenalty.evaluate(x, b, w)),
            "Exact",
            Map.of("KL", (x, b, c, w) -> new KlPenalty.Exact(0.3).evaluate(x, w)),
            "Estimated",
            Map.of(
                    "K1", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K1, x, ref, w),
                    "K2", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K2, x, ref, w),
                    "K3", (x, ref, c, w) -> KlPenalty.evaluate(KlEstimator.K3, x, ref, w))));

    /** Its loss has a weight in it that is not differentiated, so differences of the loss are not its gradient. */
    private static final String STOPS_A_GRADIENT = "CispoLoss";

    private static TokenLoss policy(PolicyLoss loss, double[][] x, double[][] b, double[][] c, double[] w) {
        PolicyLossResult result = loss.evaluate(x, b, c, w);
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
            if (name.equals(STOPS_A_GRADIENT)) {
                return;
            }
            double[][] gradient =
                    objective.evaluate(inputs[0], inputs[1], inputs[2], weights).gradient();
            double[][] numeric = centralDifferences(
                    inputs[0],
                    x -> objective.evaluate(x, inputs[1], inputs[2], weights).loss());
            for (int i = 0; i < gradient.length; i++) {
                for (int t = 0; t < gradient[i].length; t++) {
                    assertThat(gradient[i][t])
                            .as("%s (%s) at [%d][%d]", name, setting, i, t)
                            .isCloseTo(numeric[i][t], offset(1e-8 + 1e-6 * Math.abs(numeric[i][t])));
                }
            }
        }));
    }

    @Property(tries = 200)
    void gradientsAreThoseOfExactForwardDifferentiation(
            @ForAll("threeMatrices") double[][][] inputs, @ForAll Aggregation aggregation) {
        Assume.that(awayFromCorners(inputs));
        double[] weights = aggregation.rowWeights(Ragged.lengths(inputs[0]), 5);
        OBJECTIVES.forEach((name, settings) -> settings.forEach((setting, objective) -> {
            TokenLoss found = objective.evaluate(inputs[0], inputs[1], inputs[2], weights);
            TokenLoss exact = ObjectiveFormulas.of(name, setting).differentiate(inputs, weights);
            assertThat(found.loss()).as("%s (%s)", name, setting).isCloseTo(exact.loss(), offset(EXACT));
            for (int i = 0; i < exact.gradient().length; i++) {
                assertThat(found.gradient()[i])
                        .as("%s (%s), row %d", name, setting, i)
                        .containsExactly(exact.gradient()[i], offset(EXACT));
            }
        }));
    }

    /** CISPO's weight held where it was: then it is a loss like any other. */
    @Property(tries = 200)
    void theGradientOfCispoIsThatOfItsLossWithTheWeightsHeld(@ForAll("threeMatrices") double[][][] in) {
        double[] weights = Aggregation.SEQUENCE_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        double[][] held =
                Ragged.combine(in[0], in[1], (now, old) -> Math.max(0.8, Math.min(1.28, Math.exp(now - old))));
        double[][] weighted = Ragged.combine(held, in[2], (w, a) -> w * a);
        double[][] gradient =
                new CispoLoss(0.2, 0.28).evaluate(in[0], in[1], in[2], weights).gradient();
        double[][] numeric = centralDifferences(
                in[0],
                x -> new ReinforceLoss().evaluate(x, in[1], weighted, weights).loss());
        for (int i = 0; i < gradient.length; i++) {
            assertThat(gradient[i]).containsExactly(numeric[i], offset(1e-8));
        }
    }

    /** An objective is whatever returns a record with a loss and its gradient. One that is added needs a gradient test. */
    @Example
    void everyObjectiveOfThePackageHasAGradientTest() throws Exception {
        Set<String> found = new TreeSet<>();
        for (Class<?> type : PackageClasses.of(Ragged.class)) {
            if (!type.isInterface()
                    && Arrays.stream(type.getMethods()).anyMatch(ObjectiveGradientTest::returnsAGradient)) {
                found.add(type.getSimpleName());
            }
        }
        assertThat(found).isEqualTo(OBJECTIVES.keySet()).hasSizeGreaterThanOrEqualTo(9);
        OBJECTIVES.forEach(
                (name, settings) -> assertThat(ObjectiveFormulas.settings(name)).isEqualTo(settings.keySet()));
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
                double sequenceRatio =
                        Math.exp((Ragged.sum(inputs[0][i]) - Ragged.sum(inputs[1][i])) / inputs[0][i].length);
                boolean sequenceCorner = Stream.of(0.8, 1.28).anyMatch(c -> Math.abs(sequenceRatio - c) < CORNER);
                boolean policyCorner = Stream.of(0.8, 1.2, 1.28, 1.5).anyMatch(c -> Math.abs(ratio - c) < CORNER);
                double clipped = inputs[1][i][t] + Math.max(-0.2, Math.min(0.2, difference));
                double target = inputs[2][i][t];
                boolean valueCorner = Math.abs(Math.abs(difference) - 0.2) < CORNER
                        || Math.abs(Math.abs(inputs[0][i][t] - target) - Math.abs(clipped - target)) < CORNER
                                && clipped != inputs[0][i][t];
                if (policyCorner || sequenceCorner || valueCorner) {
                    return false;
                }
            }
        }
        return true;
    }
}
