package io.github.rlhf4j.ppo.preference.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.ppo.PackageClasses;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import org.apache.commons.math3.analysis.differentiation.DerivativeStructure;

/**
 * The closed-form gradient of each loss against central differences of itself, and against exact forward differentiation of
 * the paper's formula, which is written here a second time.
 */
class PreferenceGradientTest {

    private static final double BETA = 0.3;
    private static final double STEP = 1e-5;

    /** The paper's formula on summed log-probs W and L of T_w and T_l tokens, references w and l. */
    private interface Formula {
        DerivativeStructure of(DerivativeStructure chosen, DerivativeStructure rejected, PreferenceCase c);
    }

    private static final Map<PairLoss, Formula> FORMULAS = new LinkedHashMap<>();

    static {
        FORMULAS.put(new DpoLoss(BETA), (w, l, c) -> logSigmoid(delta(w, l, c)).negate());
        FORMULAS.put(new DpoLoss(ImplicitReward.meanLogRatio(BETA)), (w, l, c) -> logSigmoid(meanDelta(w, l, c))
                .negate());
        FORMULAS.put(new ConservativeDpoLoss(BETA, 0.1), (w, l, c) -> logSigmoid(delta(w, l, c))
                .multiply(-0.9)
                .add(logSigmoid(delta(w, l, c).negate()).multiply(-0.1)));
        FORMULAS.put(new RobustDpoLoss(BETA, 0.1), (w, l, c) -> logSigmoid(delta(w, l, c))
                .multiply(-0.9)
                .add(logSigmoid(delta(w, l, c).negate()).multiply(0.1))
                .divide(0.8));
        FORMULAS.put(
                new IpoLoss(BETA),
                (w, l, c) -> square(delta(w, l, c).divide(BETA).subtract(1 / (2 * BETA))));
        FORMULAS.put(
                new IpoLoss(ImplicitReward.meanLogRatio(BETA)),
                (w, l, c) -> square(meanDelta(w, l, c).divide(BETA).subtract(1 / (2 * BETA))));
        FORMULAS.put(
                new HingeLoss(BETA),
                (w, l, c) -> positive(delta(w, l, c).negate().add(1)));
        FORMULAS.put(new SlicLoss(1, 0.2), (w, l, c) -> positive(l.subtract(w).add(1))
                .subtract(w.multiply(0.2)));
        FORMULAS.put(
                new ApoZeroLoss(BETA),
                (w, l, c) -> sigmoid(chosenReward(w, c)).negate().add(1).add(sigmoid(rejectedReward(l, c))));
        FORMULAS.put(
                new ApoDownLoss(BETA),
                (w, l, c) -> sigmoid(chosenReward(w, c)).add(1).subtract(sigmoid(delta(w, l, c))));
        FORMULAS.put(new NcaLoss(BETA), (w, l, c) -> logSigmoid(chosenReward(w, c))
                .add(logSigmoid(chosenReward(w, c).negate()).multiply(0.5))
                .add(logSigmoid(rejectedReward(l, c).negate()).multiply(0.5))
                .negate());
        FORMULAS.put(new BcoLoss(ImplicitReward.logRatio(BETA), 0.2), (w, l, c) -> logSigmoid(
                        chosenReward(w, c).subtract(0.2))
                .add(logSigmoid(rejectedReward(l, c).subtract(0.2).negate()))
                .negate());
        FORMULAS.put(new SppoLoss(BETA), (w, l, c) -> square(
                        w.subtract(c.chosenReference()).subtract(0.5 / BETA))
                .add(square(l.subtract(c.rejectedReference()).add(0.5 / BETA))));
        FORMULAS.put(new OrpoLoss(0.4), (w, l, c) -> {
            DerivativeStructure chosen = w.divide(c.chosen().length);
            DerivativeStructure rejected = l.divide(c.rejected().length);
            DerivativeStructure ratio = odds(chosen).divide(odds(rejected)).log();
            return chosen.negate().subtract(logSigmoid(ratio).multiply(0.4));
        });
        FORMULAS.put(new SimpoLoss(2, 0.5), (w, l, c) -> logSigmoid(w.multiply(2.0 / c.chosen().length)
                        .subtract(l.multiply(2.0 / c.rejected().length))
                        .subtract(0.5))
                .negate());
        FORMULAS.put(
                new CpoLoss(BETA, 0.7),
                (w, l, c) -> logSigmoid(w.subtract(l).multiply(BETA)).negate().subtract(w.multiply(0.7)));
        FORMULAS.put(
                new RpoLoss(new DpoLoss(BETA), 0.7),
                (w, l, c) -> logSigmoid(delta(w, l, c)).negate().subtract(w.multiply(0.7 / c.chosen().length)));
    }

    private static DerivativeStructure chosenReward(DerivativeStructure w, PreferenceCase c) {
        return w.subtract(c.chosenReference()).multiply(BETA);
    }

    private static DerivativeStructure rejectedReward(DerivativeStructure l, PreferenceCase c) {
        return l.subtract(c.rejectedReference()).multiply(BETA);
    }

    private static DerivativeStructure delta(DerivativeStructure w, DerivativeStructure l, PreferenceCase c) {
        return chosenReward(w, c).subtract(rejectedReward(l, c));
    }

    private static DerivativeStructure meanDelta(DerivativeStructure w, DerivativeStructure l, PreferenceCase c) {
        return chosenReward(w, c)
                .divide(c.chosen().length)
                .subtract(rejectedReward(l, c).divide(c.rejected().length));
    }

    private static DerivativeStructure sigmoid(DerivativeStructure x) {
        return x.negate().exp().add(1).reciprocal();
    }

    private static DerivativeStructure logSigmoid(DerivativeStructure x) {
        return sigmoid(x).log();
    }

    private static DerivativeStructure square(DerivativeStructure x) {
        return x.multiply(x);
    }

    private static DerivativeStructure positive(DerivativeStructure x) {
        return x.getValue() > 0 ? x : x.multiply(0);
    }

    private static DerivativeStructure odds(DerivativeStructure logProb) {
        return logProb.exp().divide(logProb.exp().negate().add(1));
    }

    @Provide
    Arbitrary<PreferenceCase> cases() {
        return PreferenceCase.any();
    }

    @Property(tries = 300)
    void theGradientIsTheFormulasDerivative(@ForAll("cases") PreferenceCase c) {
        FORMULAS.forEach((loss, formula) -> {
            double[] flat = c.flat();
            DerivativeStructure[] x = IntStream.range(0, flat.length)
                    .mapToObj(i -> new DerivativeStructure(flat.length, 1, i, flat[i]))
                    .toArray(DerivativeStructure[]::new);
            int cut = c.chosen().length;
            DerivativeStructure exact = formula.of(sum(x, 0, cut), sum(x, cut, flat.length), c);
            PairResult result = loss.evaluate(c.batch());
            assertThat(result.loss()).as("%s", loss).isCloseTo(exact.getValue(), within(1e-9));
            double[] gradient = gradient(result);
            for (int i = 0; i < flat.length; i++) {
                int[] order = new int[flat.length];
                order[i] = 1;
                assertThat(gradient[i])
                        .as("%s, token %d", loss, i)
                        .isCloseTo(exact.getPartialDerivative(order), within(1e-9));
            }
        });
    }

    private static DerivativeStructure sum(DerivativeStructure[] x, int from, int to) {
        return Arrays.stream(x, from, to).reduce(DerivativeStructure::add).orElseThrow();
    }

    @Property(tries = 300)
    void theGradientIsTheCentralDifference(@ForAll("cases") PreferenceCase c) {
        Assume.that(awayFromCorners(c));
        for (PairLoss loss : FORMULAS.keySet()) {
            double[] numeric = centralDifferences(
                    c.flat(), x -> loss.evaluate(c.with(x).batch()).loss());
            double[] gradient = gradient(loss.evaluate(c.batch()));
            for (int i = 0; i < numeric.length; i++) {
                assertThat(gradient[i])
                        .as("%s, token %d", loss, i)
                        .isCloseTo(numeric[i], within(2e-7 + 1e-5 * Math.abs(numeric[i])));
            }
        }
    }

    /** Where a hinge has no derivative. */
    private static boolean awayFromCorners(PreferenceCase c) {
        double difference =
                Arrays.stream(c.chosen()).sum() - Arrays.stream(c.rejected()).sum();
        double hinge = BETA * (difference - c.chosenReference() + c.rejectedReference());
        return Math.abs(hinge - 1) > 1e-4 && Math.abs(difference - 1) > 1e-4;
    }

    @Property(tries = 300)
    void theGradientOfJudgedResponsesIsBoth(
            @ForAll("cases") PreferenceCase c, @ForAll @DoubleRange(max = 5) double anchor) {
        KtoLoss loss = new KtoLoss(BETA).withWeights(1.2, 0.7);
        int cut = c.chosen().length;
        double[] gradient = Arrays.stream(kto(loss, c, anchor).gradient())
                .flatMapToDouble(Arrays::stream)
                .toArray();
        double[] numeric =
                centralDifferences(c.flat(), x -> kto(loss, c.with(x), anchor).loss());
        assertThat(gradient).containsExactly(numeric, within(1e-8));
        for (int i = 0; i < gradient.length; i++) {
            boolean chosen = i < cut;
            double logProb = Arrays.stream(chosen ? c.chosen() : c.rejected()).sum();
            DerivativeStructure gain = new DerivativeStructure(1, 1, 0, logProb)
                    .subtract(chosen ? c.chosenReference() : c.rejectedReference())
                    .subtract(anchor)
                    .multiply(BETA);
            DerivativeStructure exact = chosen
                    ? sigmoid(gain).negate().add(1).multiply(1.2)
                    : sigmoid(gain.negate()).negate().add(1).multiply(0.7);
            assertThat(gradient[i]).isCloseTo(exact.getPartialDerivative(1), within(1e-12));
        }
    }

    private static KtoLoss.Result kto(KtoLoss loss, PreferenceCase c, double anchor) {
        return loss.evaluate(
                new double[][] {c.chosen(), c.rejected()},
                new double[] {c.chosenReference(), c.rejectedReference()},
                new boolean[] {true, false},
                anchor,
                1);
    }

    private static double[] gradient(PairResult result) {
        return Stream.of(result.dChosen()[0], result.dRejected()[0])
                .flatMapToDouble(Arrays::stream)
                .toArray();
    }

    private static double[] centralDifferences(double[] x, ToDoubleFunction<double[]> loss) {
        double[] numeric = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double[] moved = x.clone();
            moved[i] = x[i] + STEP;
            double above = loss.applyAsDouble(moved);
            moved[i] = x[i] - STEP;
            numeric[i] = (above - loss.applyAsDouble(moved)) / (2 * STEP);
        }
        return numeric;
    }

    /** A loss that is added needs a formula here. */
    @Example
    void everyLossOfThePackageHasAFormula() throws Exception {
        Set<String> found = new TreeSet<>();
        for (Class<?> type : PackageClasses.of(PreferenceLoss.class)) {
            if (PreferenceLoss.class.isAssignableFrom(type) && !type.isInterface()) {
                found.add(type.getSimpleName());
            }
        }
        Set<String> tested = FORMULAS.keySet().stream()
                .map(loss -> loss.getClass().getSimpleName())
                .collect(Collectors.toCollection(TreeSet::new));
        tested.add(KtoLoss.class.getSimpleName());
        assertThat(found).isEqualTo(tested).hasSizeGreaterThanOrEqualTo(16);
    }
}
