package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.Arrays;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** What theory says of the functions of this package, for any input. */
class PolicyMathProperties {

    private static final double EXACT = 1e-9;

    @Provide
    Arbitrary<double[][][]> one() {
        return RaggedArbitraries.sameShape(1, 3);
    }

    @Provide
    Arbitrary<double[][][]> two() {
        return RaggedArbitraries.sameShape(2, 3);
    }

    @Provide
    Arbitrary<double[][][]> four() {
        return RaggedArbitraries.sameShape(4, 2);
    }

    @Provide
    Arbitrary<double[]> distribution() {
        return Arbitraries.integers()
                .between(1, 1000)
                .array(Integer[].class)
                .ofSize(4)
                .map(weights -> {
                    double sum = Arrays.stream(weights).mapToInt(w -> w).sum();
                    return Arrays.stream(weights).mapToDouble(w -> w / sum).toArray();
                });
    }

    // Advantages (Schulman et al. 2016)

    /** λ = 0: the one-step temporal-difference error. */
    @Property(tries = 200)
    void advantageAtLambdaZeroIsTheOneStepError(
            @ForAll("two") double[][][] in, @ForAll @DoubleRange(max = 1) double gamma) {
        double[][] advantages =
                GeneralizedAdvantages.estimate(in[0], in[1], gamma, 0).advantages();
        for (int i = 0; i < in[0].length; i++) {
            for (int t = 0; t < in[0][i].length; t++) {
                double next = t + 1 < in[0][i].length ? in[1][i][t + 1] : 0;
                assertThat(advantages[i][t]).isCloseTo(in[0][i][t] + gamma * next - in[1][i][t], offset(EXACT));
            }
        }
    }

    /** γ = λ = 1: the reward still to come minus the value, so that returns do not depend on the values. */
    @Property(tries = 200)
    void advantageAtLambdaOneIsRewardToGoMinusValue(@ForAll("two") double[][][] in) {
        double[][] returns = GeneralizedAdvantages.estimate(in[0], in[1], 1, 1).returns();
        for (int i = 0; i < in[0].length; i++) {
            double toGo = 0;
            for (int t = in[0][i].length - 1; t >= 0; t--) {
                toGo += in[0][i][t];
                assertThat(returns[i][t]).isCloseTo(toGo, offset(EXACT));
            }
        }
    }

    @Property(tries = 200)
    void advantagesAreLinearInRewardsAndValues(
            @ForAll("four") double[][][] in,
            @ForAll @DoubleRange(max = 1) double gamma,
            @ForAll @DoubleRange(max = 1) double lambda,
            @ForAll @DoubleRange(min = -3, max = 3) double scale) {
        double[][] sum = GeneralizedAdvantages.estimate(
                        addScaled(in[0], in[2], scale), addScaled(in[1], in[3], scale), gamma, lambda)
                .advantages();
        double[][] parts = addScaled(
                GeneralizedAdvantages.estimate(in[0], in[1], gamma, lambda).advantages(),
                GeneralizedAdvantages.estimate(in[2], in[3], gamma, lambda).advantages(),
                scale);
        assertSame(sum, parts, EXACT);
    }

    @Property(tries = 100)
    void advantagesOfASequenceDoNotDependOnItsBatchMates(
            @ForAll("two") double[][][] in, @ForAll @DoubleRange(max = 1) double lambda) {
        double[][] together =
                GeneralizedAdvantages.estimate(in[0], in[1], 0.9, lambda).advantages();
        for (int i = 0; i < in[0].length; i++) {
            double[][] alone = GeneralizedAdvantages.estimate(
                            Ragged.select(in[0], i), Ragged.select(in[1], i), 0.9, lambda)
                    .advantages();
            assertThat(alone[0]).isEqualTo(together[i]);
        }
    }

    // Dialogues: other people's tokens between turns

    /**
     * Rows of the policy's own tokens give the estimate that carries over masked tokens: on the whole sequence, with
     * whatever rewards and values at other people's tokens. Bridging those as zeros would discount once for each.
     */
    @Property(tries = 300)
    void advantagesStepOverOtherPeoplesTokens(
            @ForAll("two") double[][][] in,
            @ForAll boolean[] own,
            @ForAll @DoubleRange(max = 1) double gamma,
            @ForAll @DoubleRange(max = 1) double lambda) {
        double[][] advantages = GeneralizedAdvantages.estimate(own(in[0], own), own(in[1], own), gamma, lambda)
                .advantages();
        double[][] carried = new double[in[0].length][];
        for (int i = 0; i < carried.length; i++) {
            carried[i] = carriedOverMasked(in[0][i], in[1][i], own, gamma, lambda);
        }
        assertSame(advantages, own(carried, own), EXACT);
    }

    private static double[] carriedOverMasked(
            double[] rewards, double[] values, boolean[] own, double gamma, double lambda) {
        double[] advantages = new double[rewards.length];
        double nextValue = 0;
        double nextAdvantage = 0;
        for (int t = rewards.length - 1; t >= 0; t--) {
            double mask = isOwn(own, t) ? 1 : 0;
            double advantage = rewards[t] + gamma * nextValue - values[t] + gamma * lambda * nextAdvantage;
            nextValue = mask * values[t] + (1 - mask) * nextValue;
            nextAdvantage = mask * advantage + (1 - mask) * nextAdvantage;
            advantages[t] = nextAdvantage;
        }
        return advantages;
    }

    private static boolean isOwn(boolean[] own, int t) {
        return own.length == 0 || own[t % own.length];
    }

    private static double[][] own(double[][] rows, boolean[] own) {
        return Arrays.stream(rows)
                .map(row -> IntStream.range(0, row.length)
                        .filter(t -> isOwn(own, t))
                        .mapToDouble(t -> row[t])
                        .toArray())
                .toArray(double[][]::new);
    }

    /** λ = 1: what is paid for the turns that follow, each discounted by the policy's own tokens up to its last. */
    @Property(tries = 200)
    void returnsOfADialogueAreTheDiscountedRewardsOfItsTurns(
            @ForAll("two") double[][][] in,
            @ForAll @IntRange(min = 1, max = 3) int tokensATurn,
            @ForAll @DoubleRange(max = 1) double gamma) {
        double[][] turnRewards = in[0];
        int[][] lengths = Arrays.stream(turnRewards)
                .map(row -> {
                    int[] same = new int[row.length];
                    Arrays.fill(same, tokensATurn);
                    return same;
                })
                .toArray(int[][]::new);
        double[][] rewards = RewardShaping.perTurn(turnRewards, lengths);
        double[][] returns = GeneralizedAdvantages.estimate(rewards, Ragged.map(rewards, r -> 7.0), gamma, 1)
                .returns();
        for (int i = 0; i < returns.length; i++) {
            for (int t = 0; t < returns[i].length; t++) {
                double expected = 0;
                for (int turn = t / tokensATurn; turn < turnRewards[i].length; turn++) {
                    expected += Math.pow(gamma, (turn + 1) * tokensATurn - 1 - t) * turnRewards[i][turn];
                }
                assertThat(returns[i][t]).isCloseTo(expected, offset(1e-9));
            }
        }
    }

    /** A row cut in two, the first part ended in the value of the second's first state, has the advantages of λ = 0. */
    @Property(tries = 100)
    void aCutRowGoesOnFromTheValueOfItsLastState(
            @ForAll("two") double[][][] in, @ForAll @DoubleRange(max = 1) double gamma) {
        for (int i = 0; i < in[0].length; i++) {
            int cut = in[0][i].length / 2;
            double[][] whole = GeneralizedAdvantages.estimate(
                            Ragged.select(in[0], i), Ragged.select(in[1], i), gamma, 0)
                    .advantages();
            double[][] first = GeneralizedAdvantages.estimate(
                            new double[][] {Arrays.copyOf(in[0][i], cut)},
                            new double[][] {Arrays.copyOf(in[1][i], cut)},
                            new double[] {in[1][i][cut]},
                            gamma,
                            0)
                    .advantages();
            assertThat(first[0]).isEqualTo(Arrays.copyOf(whole[0], cut));
        }
    }

    // Whitening

    @Property(tries = 200)
    void standardizedTokensHaveMeanZeroAndVarianceOne(@ForAll("one") double[][][] in) {
        Assume.that(variance(in[0]) > 1e-2);
        double[][] white = Whitening.standardize(in[0]);
        assertThat(Ragged.mean(white)).isCloseTo(0, offset(EXACT));
        assertThat(variance(white)).isCloseTo(1, offset(1e-5)); // ε in the root
        assertThat(variance(Whitening.scaleToUnitVariance(in[0]))).isCloseTo(1, offset(1e-5));
        long n = Ragged.count(in[0]);
        assertThat(variance(Whitening.standardizeUnbiased(in[0])) * n / (n - 1)).isCloseTo(1, offset(1e-5));
    }

    @Property(tries = 200)
    void scalingToUnitVarianceKeepsTheMean(@ForAll("one") double[][][] in) {
        Assume.that(Ragged.count(in[0]) > 1);
        assertThat(Ragged.mean(Whitening.scaleToUnitVariance(in[0]))).isCloseTo(Ragged.mean(in[0]), offset(EXACT));
        assertThat(Ragged.mean(Whitening.scaleToUnitVarianceUnbiased(in[0])))
                .isCloseTo(Ragged.mean(in[0]), offset(EXACT));
    }

    @Property(tries = 200)
    void standardizingForgetsShiftAndScale(
            @ForAll("one") double[][][] in,
            @ForAll @DoubleRange(min = 0.5, max = 20) double scale,
            @ForAll @DoubleRange(min = -50, max = 50) double shift) {
        Assume.that(variance(in[0]) > 1e-2);
        double[][] moved = Ragged.map(in[0], x -> scale * x + shift);
        assertSame(Whitening.standardize(moved), Whitening.standardize(in[0]), 1e-5);
    }

    @Property(tries = 50)
    void tokensThatDoNotVaryBecomeZero(@ForAll @DoubleRange(min = -5, max = 5) double constant) {
        double[][] same = {{constant, constant}, {constant}};
        assertSame(Whitening.standardize(same), new double[][] {{0, 0}, {0}}, 1e-9);
        assertSame(Whitening.scaleToUnitVariance(same), same, 1e-9);
    }

    // KL (Schulman 2020)

    @Property(tries = 200)
    void k2AndK3AreNeverNegativeAndAllAreZeroWhereLogProbsAgree(
            @ForAll @DoubleRange(min = -30, max = 0) double logProb,
            @ForAll @DoubleRange(min = -30, max = 0) double reference) {
        assertThat(KlEstimator.K2.value(logProb, reference)).isNotNegative();
        assertThat(KlEstimator.K3.value(logProb, reference)).isNotNegative();
        for (KlEstimator estimator : KlEstimator.values()) {
            assertThat(estimator.value(logProb, logProb)).isZero();
        }
    }

    /** E_π[K1] = E_π[K3] = KL(π‖π_ref), by enumeration. */
    @Property(tries = 200)
    void k1AndK3AreUnbiased(@ForAll("distribution") double[] p, @ForAll("distribution") double[] q) {
        double kl = KlDivergence.exact(p, q);
        assertThat(kl).isNotNegative();
        assertThat(expectation(KlEstimator.K1, p, q)).isCloseTo(kl, offset(EXACT));
        assertThat(expectation(KlEstimator.K3, p, q)).isCloseTo(kl, offset(EXACT));
    }

    @Property(tries = 200)
    void everyControllerRaisesTheCoefficientAboveTheTargetAndLowersItBelow(
            @ForAll @DoubleRange(min = 0.01, max = 10) double coefficient,
            @ForAll @DoubleRange(min = 0.1, max = 10) double target,
            @ForAll @IntRange(min = 1, max = 2048) int sequences) {
        for (KlController controller : new KlController[] {
            new KlController.Adaptive(coefficient, target, 10_000, KlUnit.PER_SEQUENCE),
            new KlController.HalvingDoubling(coefficient, target, KlUnit.PER_SEQUENCE)
        }) {
            assertThat(controller.next(coefficient, 2 * target, sequences)).isGreaterThan(coefficient);
            assertThat(controller.next(coefficient, target / 2, sequences)).isLessThan(coefficient);
            assertThat(controller.next(coefficient, target, sequences)).isEqualTo(coefficient);
        }
        assertThat(new KlController.Fixed(coefficient).next(coefficient, 2 * target, sequences))
                .isEqualTo(coefficient);
    }

    // Losses (Schulman et al. 2017)

    /** At ratio 1 nothing has moved, and the gradient is the policy gradient −A. */
    @Property(tries = 200)
    void atRatioOneTheGradientIsThePolicyGradient(@ForAll("two") double[][][] in, @ForAll Aggregation aggregation) {
        double[] weights = aggregation.rowWeights(Ragged.lengths(in[0]), 5);
        PolicyLossResult result = new ClippedPolicyLoss(0.2).evaluate(in[0], in[0], in[1], weights);
        assertThat(result.statistics().ratio()).isEqualTo(1);
        assertThat(result.statistics().approximateKl()).isZero();
        assertThat(result.statistics().approximateKlK3()).isZero();
        assertThat(result.statistics().clipFraction()).isZero();
        for (int i = 0; i < in[0].length; i++) {
            for (int t = 0; t < in[0][i].length; t++) {
                assertThat(result.gradient()[i][t]).isCloseTo(-weights[i] * in[1][i][t], offset(EXACT));
            }
        }
    }

    @Property(tries = 100)
    void onPolicyLossOfWhitenedAdvantagesIsZero(@ForAll("two") double[][][] in) {
        double[][] advantages = Whitening.standardize(in[1]);
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        assertThat(new ClippedPolicyLoss(0.2)
                        .evaluate(in[0], in[0], advantages, weights)
                        .loss())
                .isCloseTo(0, offset(1e-6));
    }

    /** Clipping makes the loss pessimistic; a dual clip takes some of that back. */
    @Property(tries = 200)
    void theClippedLossIsAnUpperBoundOfTheUnclipped(@ForAll("four") double[][][] in) {
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        double clipped = new ClippedPolicyLoss(0.2)
                .evaluate(in[0], in[1], in[2], weights)
                .loss();
        double wide = new ClippedPolicyLoss(0.999_999, 1e9, 0)
                .evaluate(in[0], in[1], in[2], weights)
                .loss();
        double dual = new ClippedPolicyLoss(0.2, 0.2, 2)
                .evaluate(in[0], in[1], in[2], weights)
                .loss();
        assertThat(clipped).isGreaterThanOrEqualTo(wide - EXACT).isGreaterThanOrEqualTo(dual - EXACT);
    }

    /** The gradient vanishes exactly where the ratio has left the range on the side its advantage pushes to. */
    @Property(tries = 200)
    void theGradientIsZeroExactlyWhereClippingBinds(@ForAll("four") double[][][] in) {
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        PolicyLossResult result = new ClippedPolicyLoss(0.2).evaluate(in[0], in[1], in[2], weights);
        for (int i = 0; i < in[0].length; i++) {
            for (int t = 0; t < in[0][i].length; t++) {
                double ratio = Math.exp(in[0][i][t] - in[1][i][t]);
                double advantage = in[2][i][t];
                boolean bound = advantage > 0 && ratio > 1.2 || advantage < 0 && ratio < 0.8;
                assertThat(result.gradient()[i][t] == 0).isEqualTo(bound || advantage == 0);
            }
        }
    }

    @Property(tries = 200)
    void theClippedValueLossIsAnUpperBoundOfTheUnclipped(@ForAll("four") double[][][] in) {
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        double clipped =
                new ClippedValueLoss(0.2).evaluate(in[0], in[1], in[2], weights).loss();
        double plain =
                new ClippedValueLoss(0).evaluate(in[0], in[1], in[2], weights).loss();
        assertThat(clipped).isGreaterThanOrEqualTo(plain - EXACT);
    }

    /** Micro-batches add up to the minibatch, whatever the aggregation and the split. */
    @Property(tries = 200)
    void lossAndGradientDoNotDependOnTheSplitIntoMicrobatches(
            @ForAll("four") double[][][] in, @ForAll Aggregation aggregation, @ForAll @IntRange(max = 4) int cut) {
        int rows = in[0].length;
        int[] first = range(0, Math.min(cut, rows));
        int[] second = range(first.length, rows);
        double[] weights = aggregation.rowWeights(Ragged.lengths(in[0]), 5);
        ClippedPolicyLoss loss = new ClippedPolicyLoss(0.2);
        PolicyLossResult whole = loss.evaluate(in[0], in[1], in[2], weights);
        double sum = 0;
        for (int[] part : new int[][] {first, second}) {
            double[] own = Arrays.stream(part).mapToDouble(i -> weights[i]).toArray();
            PolicyLossResult result = loss.evaluate(
                    Ragged.select(in[0], part), Ragged.select(in[1], part), Ragged.select(in[2], part), own);
            sum += result.loss();
            for (int k = 0; k < part.length; k++) {
                assertThat(result.gradient()[k]).isEqualTo(whole.gradient()[part[k]]);
            }
        }
        assertThat(sum).isCloseTo(whole.loss(), offset(EXACT));
    }

    @Property(tries = 100)
    void lossDoesNotDependOnTheOrderOfTheRows(@ForAll("four") double[][][] in, @ForAll Aggregation aggregation) {
        int[] reversed = range(0, in[0].length);
        Arrays.setAll(reversed, i -> in[0].length - 1 - i);
        double[][][] turned =
                Arrays.stream(in).map(m -> Ragged.select(m, reversed)).toArray(double[][][]::new);
        ClippedPolicyLoss loss = new ClippedPolicyLoss(0.2);
        double there = loss.evaluate(in[0], in[1], in[2], aggregation.rowWeights(Ragged.lengths(in[0]), 5))
                .loss();
        double back = loss.evaluate(
                        turned[0], turned[1], turned[2], aggregation.rowWeights(Ragged.lengths(turned[0]), 5))
                .loss();
        assertThat(back).isCloseTo(there, offset(EXACT));
    }

    // Rewards and diagnostics

    /** The shaping adds up: Σ_t r_t = score − β·Σ_t K1_t, and only the last token carries the score. */
    @Property(tries = 200)
    void shapedRewardsSumToScoreMinusKl(
            @ForAll("one") double[][][] in, @ForAll @DoubleRange(max = 2) double coefficient) {
        double[] scores = new double[in[0].length];
        Arrays.setAll(scores, i -> i + 0.5);
        double[][] rewards = RewardShaping.perToken(scores, in[0], coefficient);
        for (int i = 0; i < scores.length; i++) {
            assertThat(Ragged.sum(rewards[i])).isCloseTo(scores[i] - coefficient * Ragged.sum(in[0][i]), offset(EXACT));
            for (int t = 0; t < rewards[i].length - 1; t++) {
                assertThat(rewards[i][t]).isEqualTo(-coefficient * in[0][i][t]);
            }
        }
    }

    @Property(tries = 100)
    void explainedVarianceIsOneForPerfectAndZeroForConstantValues(@ForAll("one") double[][][] in) {
        Assume.that(variance(in[0]) > 1e-6);
        assertThat(ExplainedVariance.of(in[0], in[0])).isEqualTo(1);
        assertThat(ExplainedVariance.of(Ragged.map(in[0], x -> 7), in[0])).isCloseTo(0, offset(1e-6));
    }

    private static double expectation(KlEstimator estimator, double[] p, double[] q) {
        double sum = 0;
        for (int v = 0; v < p.length; v++) {
            sum += p[v] * estimator.value(Math.log(p[v]), Math.log(q[v]));
        }
        return sum;
    }

    private static double variance(double[][] rows) {
        double mean = Ragged.mean(rows);
        return Ragged.mean(Ragged.map(rows, x -> (x - mean) * (x - mean)));
    }

    private static double[][] addScaled(double[][] a, double[][] b, double scale) {
        return Ragged.combine(a, b, (x, y) -> x + scale * y);
    }

    private static int[] range(int from, int to) {
        int[] range = new int[to - from];
        Arrays.setAll(range, i -> from + i);
        return range;
    }

    private static void assertSame(double[][] actual, double[][] expected, double tolerance) {
        Ragged.requireSameShape("actual", actual, "expected", expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).containsExactly(expected[i], offset(tolerance));
        }
    }
}
