package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import net.jqwik.api.domains.Domain;
import net.jqwik.api.domains.DomainContext;

@Domain(DomainContext.Global.class)
@Domain(RlhfDomain.class)
class GradientCheckTest {

    private static final GradientCheck CHECK = GradientCheck.STANDARD;

    private static double sumOfExp(double[] x) {
        return Arrays.stream(x).map(Math::exp).sum();
    }

    @Property(tries = 200)
    void theGradientOfAnObjectivePasses(@ForAll RolloutNumbers rollout, @ForAll KlEstimator estimator) {
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(rollout.logProbs()), 1);
        double[][] old = rollout.oldLogProbs();
        CHECK.check(
                "KL penalty",
                rollout.logProbs(),
                x -> KlPenalty.evaluate(estimator, x, old, weights).loss(),
                KlPenalty.evaluate(estimator, rollout.logProbs(), old, weights).gradient());
    }

    @Property(tries = 200)
    void anErrorBeyondTheToleranceIsFound(
            @ForAll @DoubleRange(min = -3, max = 3) double x,
            @ForAll @DoubleRange(min = 1e-5, max = 1) @Scale(5) double error) {
        double slope = Math.exp(x);
        CHECK.check("exp", new double[] {x}, GradientCheckTest::sumOfExp, new double[] {slope});
        for (double sign : new double[] {1, -1}) {
            double[] wrong = {slope + sign * error * Math.max(1, slope)};
            assertThatThrownBy(() -> CHECK.check("exp", new double[] {x}, GradientCheckTest::sumOfExp, wrong))
                    .isInstanceOf(AssertionError.class);
        }
    }

    @Example
    void theWorstCoordinateIsNamedWithBothValues() {
        double[][] x = {{1}, {}, {2, 3}};
        ToDoubleFunction<double[][]> loss = rows -> rows[0][0] + 5 * rows[2][0] + 7 * rows[2][1];
        assertThatThrownBy(() -> CHECK.check("mine", x, loss, new double[][] {{1.5}, {}, {5, 9}}))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("mine: the gradient is not the slope of the loss at 2 of 3 coordinates")
                .hasMessageContaining("Worst is x[0][0] = 1.0: analytic 1.5, numeric 1.0")
                .hasMessageContaining("Differences of one step and of half a step say");
        assertThatThrownBy(() -> CHECK.check("mine", x, loss, new double[][] {{1.5}, {}, {5, 19}}))
                .hasMessageContaining("Worst is x[2][1] = 3.0: analytic 19.0, numeric 7.0");
        assertThat(x).isDeepEqualTo(new double[][] {{1}, {}, {2, 3}});
    }

    @Example
    void aVectorsCoordinatesHaveOneIndex() {
        assertThatThrownBy(
                        () -> CHECK.check("exp", new double[] {0, 1}, GradientCheckTest::sumOfExp, new double[] {1, 1}))
                .hasMessageContaining("x[1] = 1.0: analytic 1.0, numeric 2.718");
    }

    /** The error of a plain difference here, x·h² at h = 1e-2·x, is a thousand times what is allowed. */
    @Example
    void aLargeStepIsCorrectedByAHalfOfIt() {
        GradientCheck wide = CHECK.withStep(1e-2).withTolerance(1e-10, 0);
        double[] x = {3};
        wide.check("cube", x, v -> v[0] * v[0] * v[0], new double[] {27});
        assertThatThrownBy(() -> wide.check("cube", x, v -> v[0] * v[0] * v[0], new double[] {27 + 5e-4}))
                .hasMessageContaining("one step and of half a step say 27.0009 and 27.000225");
    }

    /** Near 1e9 a loss is known to 1e-7, a difference of it over 2e-4 to no more than 1e-3. */
    @Example
    void whatRoundingOfTheLossDoesIsAllowed() {
        double[] x = {0.3};
        ToDoubleFunction<double[]> loss = v -> 1e9 + Math.sin(v[0]);
        CHECK.check("sine", x, loss, new double[] {Math.cos(0.3)});
        assertThatThrownBy(() -> CHECK.check("sine", x, loss, new double[] {Math.cos(0.3) + 0.1}))
                .isInstanceOf(AssertionError.class);
    }

    /** At |x| = 1e9 a step of 1e-4 would be lost in rounding. */
    @Example
    void theStepGrowsWithTheCoordinate() {
        CHECK.check("square", new double[] {1e9}, v -> v[0] * v[0], new double[] {2e9});
    }

    @Example
    void aCornerShowsInTheMessage() {
        double[] besideTheCorner = {3e-5};
        assertThatThrownBy(() -> CHECK.check("hinge", besideTheCorner, v -> Math.max(0, v[0]), new double[] {1}))
                .hasMessageContaining("say 0.65")
                .hasMessageContaining("a corner or a jump");
    }

    @Example
    void whatIsNotFiniteIsNeverRight() {
        double[] x = {1};
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> CHECK.check("square", x, v -> v[0] * v[0], new double[] {bad}))
                    .hasMessageContaining("analytic " + bad);
            assertThatThrownBy(() -> CHECK.check("broken", x, v -> bad, new double[] {0}))
                    .hasMessageContaining("numeric NaN");
        }
        assertThatThrownBy(
                        () -> CHECK.check("both", new double[] {1, 1}, v -> v[0] + v[1], new double[] {5, Double.NaN}))
                .hasMessageContaining("x[1] = 1.0: analytic NaN");
        assertThatThrownBy(
                        () -> CHECK.check("both", new double[] {1, 1}, v -> v[0] + v[1], new double[] {Double.NaN, 5}))
                .hasMessageContaining("x[0] = 1.0: analytic NaN");
    }

    @Example
    void anotherShapeIsRefused() {
        assertThatThrownBy(() -> CHECK.check("exp", new double[2], GradientCheckTest::sumOfExp, new double[1]))
                .hasMessageContaining("one entry per coordinate, 2; got 1");
        assertThatThrownBy(() ->
                        CHECK.check("rows", new double[][] {{1, 2}, {3}}, rows -> 0, new double[][] {{0}, {0, 0}}))
                .hasMessageContaining("rows of lengths [2, 1]; got [1, 2]");
    }

    @Example
    void numbersInPlaceArePutBack() {
        double[] stored = {1, 2};
        GradientCheck.Coordinates weights = new GradientCheck.Coordinates() {
            @Override
            public int count() {
                return stored.length;
            }

            @Override
            public String name(int index) {
                return "weight " + index;
            }

            @Override
            public double get(int index) {
                return stored[index];
            }

            @Override
            public void set(int index, double value) {
                stored[index] = value;
            }
        };
        CHECK.check("product", weights, () -> stored[0] * stored[1], new double[] {2, 1});
        assertThatThrownBy(() -> CHECK.check("product", weights, () -> stored[0] * stored[1], new double[] {2, 2}))
                .hasMessageContaining("weight 1 = 2.0: analytic 2.0, numeric 1.0");
        assertThatThrownBy(() -> CHECK.check(
                        "failing",
                        weights,
                        () -> {
                            throw new IllegalStateException("no loss here");
                        },
                        new double[2]))
                .isInstanceOf(IllegalStateException.class);
        assertThat(stored).containsExactly(1, 2);
    }

    @Example
    void settingsThatCheckNothingAreRefused() {
        assertThatThrownBy(() -> CHECK.withStep(0)).hasMessageContaining("step").hasMessageContaining("got 0.0");
        assertThatThrownBy(() -> CHECK.withTolerance(-1, 0)).hasMessageContaining("relative");
        assertThatThrownBy(() -> CHECK.withTolerance(0, Double.NaN)).hasMessageContaining("absolute");
        assertThatCode(() -> CHECK.withTolerance(0, 0)).doesNotThrowAnyException();
    }
}
