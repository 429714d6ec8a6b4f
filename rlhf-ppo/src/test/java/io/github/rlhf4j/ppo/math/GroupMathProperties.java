package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** What theory says of group advantages and of the losses and corrections around them. */
class GroupMathProperties {

    private static final double EXACT = 1e-9;
    private static final List<GroupAdvantages.OfSequences> OF_SEQUENCES = List.of(
            GrpoAdvantages.defaults(),
            new GrpoAdvantages(GrpoAdvantages.Deviation.POPULATION, 1e-6),
            new DrGrpoAdvantages(),
            new RlooAdvantages(),
            new NormalizedRlooAdvantages());
    private static final List<PolicyLoss> LOSSES = List.of(
            new ClippedPolicyLoss(0.2),
            new ClippedPolicyLoss(0.2, 0.28, 3),
            new GspoLoss(0.2, 0.28),
            new CispoLoss(1, 0.28),
            new ReinforceLoss());

    @Provide
    Arbitrary<double[][][]> three() {
        return RaggedArbitraries.sameShape(3, 2);
    }

    private static double[] group(List<Integer> rewards) {
        return rewards.stream().mapToDouble(r -> r / 10.0).toArray();
    }

    /** Adding a constant to all rewards of a prompt changes no advantage, exactly as for any baseline of the group. */
    @Property(tries = 200)
    void advantagesForgetAShiftOfTheGroup(
            @ForAll @Size(min = 3, max = 6) List<@IntRange(min = -50, max = 50) Integer> rewards,
            @ForAll @IntRange(min = -100, max = 100) int shift) {
        double[] plain = group(rewards);
        double[] moved = Arrays.stream(plain).map(r -> r + shift).toArray();
        Assume.that(Groups.standardDeviation(plain, 0) > 0);
        for (GroupAdvantages.OfSequences estimator : OF_SEQUENCES) {
            if (!(estimator instanceof NormalizedRlooAdvantages)) { // equal others are told apart by rounding
                assertThat(estimator.ofGroup(moved))
                        .as("%s", estimator)
                        .containsExactly(estimator.ofGroup(plain), offset(1e-6));
            }
        }
    }

    @Property(tries = 200)
    void advantagesOfAGroupSumToZero(
            @ForAll @Size(min = 2, max = 6) List<@IntRange(min = -50, max = 50) Integer> rewards) {
        for (GroupAdvantages.OfSequences estimator : OF_SEQUENCES.subList(0, 4)) {
            assertThat(Arrays.stream(estimator.ofGroup(group(rewards))).sum()).isCloseTo(0, offset(1e-6));
        }
    }

    /** RLOO is Dr. GRPO times n/(n − 1). */
    @Property(tries = 100)
    void leaveOneOutIsTheGroupMeanScaled(
            @ForAll @Size(min = 2, max = 6) List<@IntRange(min = -50, max = 50) Integer> rewards) {
        double n = rewards.size();
        double[] scaled = Arrays.stream(new DrGrpoAdvantages().ofGroup(group(rewards)))
                .map(a -> a * n / (n - 1))
                .toArray();
        assertThat(new RlooAdvantages().ofGroup(group(rewards))).containsExactly(scaled, offset(EXACT));
    }

    /** But for the rounding of their mean, which an epsilon of 1e-6 makes 1e6 times as large. */
    @Property(tries = 50)
    void equalRewardsTeachNothing(
            @ForAll @DoubleRange(min = -9, max = 9) double reward, @ForAll @IntRange(min = 3, max = 6) int size) {
        double[] same = new double[size];
        Arrays.fill(same, reward);
        for (GroupAdvantages.OfSequences estimator : OF_SEQUENCES) {
            assertThat(estimator.ofGroup(same)).as("%s", estimator).containsOnly(new double[size], offset(1e-8));
        }
        assertThat(DynamicSampling.informativeGroups(same, size)).isEmpty();
    }

    /** Six times 8.59 add up to a sum whose sixth is not 8.59; a small ε must not make an advantage of that. */
    @Example
    void equalRewardsTeachExactlyNothing() {
        double[] same = new double[6];
        Arrays.fill(same, 8.59);
        assertThat(new GrpoAdvantages(GrpoAdvantages.Deviation.POPULATION, 1e-9).ofGroup(same))
                .containsOnly(0);
    }

    @Example
    void onlyGroupsThatDifferAreKept() {
        assertThat(DynamicSampling.informativeGroups(new double[] {0, 0, 1, 0, 1, 1, 0, 1}, 2))
                .containsExactly(1, 3);
        assertThatThrownBy(() -> DynamicSampling.informativeGroups(new double[3], 2))
                .hasMessageContaining("whole groups");
    }

    @Example
    void theBestOfAGroupIsLearned() {
        assertThat(new RaftAdvantages().ofGroup(new double[] {1, 3, 3, 0})).containsExactly(0, 4, 0, 0);
    }

    @Example
    void eachEstimatorSeesWholeGroupsAndAllTokensOfAResponse() {
        double[][] rewards = {{0, 1}, {3}, {-1, -1, 4}, {6}};
        double[][] expected = {{-2, -2}, {2}, {-4, -4, -4}, {4}};
        double[][] found = new RlooAdvantages().estimate(rewards, 2);
        for (int i = 0; i < expected.length; i++) {
            assertThat(found[i]).containsExactly(expected[i]);
        }
        assertThat(new ReinforceAdvantages().estimate(rewards, 1)[0][0]).isCloseTo(1 - 11 / 3.0, offset(EXACT));
        assertThatThrownBy(() -> new RlooAdvantages().estimate(rewards, 3)).hasMessageContaining("groups of 3 in 4");
        assertThatThrownBy(() -> new RlooAdvantages().estimate(rewards, 1)).hasMessageContaining("at least 2");
        assertThatThrownBy(() -> new GrpoAdvantages(GrpoAdvantages.Deviation.SAMPLE, 0))
                .hasMessageContaining("epsilon");
    }

    /** REINFORCE++: rewards to go, whitened; with the group's mean taken out first, groups at other levels look the same. */
    @Example
    void rewardsToGoAreWhitened() {
        double[][] rewards = {{-1, 2}, {4}};
        double[][] toGo = {{1, 2}, {4}};
        double[][] white = Whitening.standardize(toGo);
        double[][] found =
                new ReinforcePlusPlusAdvantages(ReinforcePlusPlusAdvantages.Baseline.NONE).estimate(rewards, 1);
        assertThat(found[0]).containsExactly(white[0], offset(EXACT));
        double[][] leveled = new ReinforcePlusPlusAdvantages(ReinforcePlusPlusAdvantages.Baseline.GROUP_MEAN)
                .estimate(new double[][] {{1}, {2}, {101}, {102}}, 2);
        assertThat(leveled[0][0]).isCloseTo(-1, offset(1e-6));
        assertThat(leveled[2][0]).isCloseTo(-1, offset(1e-6));
    }

    // Losses

    /** At ratio 1 each is the policy gradient −A; GSPO where a sequence has one advantage. */
    @Property(tries = 200)
    void atRatioOneEveryLossHasThePolicyGradient(@ForAll("three") double[][][] in) {
        double[] weights = Aggregation.SEQUENCE_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        double[][] advantages = Ragged.zerosLike(in[1]);
        for (int i = 0; i < advantages.length; i++) {
            Arrays.fill(advantages[i], in[1][i][0]);
        }
        for (PolicyLoss loss : LOSSES) {
            PolicyLossResult result = loss.evaluate(in[0], in[0], advantages, weights);
            assertThat(result.statistics().ratio()).isEqualTo(1);
            assertThat(result.statistics().clipFraction()).isZero();
            for (int i = 0; i < advantages.length; i++) {
                for (double gradient : result.gradient()[i]) {
                    assertThat(gradient).as("%s", loss).isCloseTo(-weights[i] * advantages[i][0], offset(EXACT));
                }
            }
        }
    }

    /** Weights on the advantages are weights on the losses: how corrections enter. */
    @Property(tries = 200)
    void everyLossIsHomogeneousInTheAdvantages(
            @ForAll("three") double[][][] in, @ForAll @DoubleRange(max = 4) double scale) {
        double[] weights = Aggregation.TOKEN_MEAN.rowWeights(Ragged.lengths(in[0]), 5);
        for (PolicyLoss loss : LOSSES) {
            PolicyLossResult plain = loss.evaluate(in[0], in[1], in[2], weights);
            PolicyLossResult scaled = loss.evaluate(in[0], in[1], Ragged.map(in[2], a -> scale * a), weights);
            assertThat(scaled.loss()).as("%s", loss).isCloseTo(scale * plain.loss(), offset(EXACT));
            for (int i = 0; i < in[0].length; i++) {
                double[] expected =
                        Arrays.stream(plain.gradient()[i]).map(g -> scale * g).toArray();
                assertThat(scaled.gradient()[i]).as("%s", loss).containsExactly(expected, offset(EXACT));
            }
        }
    }

    /** Where PPO's clipping takes the gradient away, CISPO keeps the capped one; GSPO clips a sequence whole. */
    @Property(tries = 200)
    void whereClippingBindsTheGradientIsWhatThePaperSays(@ForAll("three") double[][][] in) {
        double[] ones = new double[in[0].length];
        Arrays.fill(ones, 1);
        double[][] cispo =
                new CispoLoss(1, 0.28).evaluate(in[0], in[1], in[2], ones).gradient();
        for (int i = 0; i < in[0].length; i++) {
            for (int t = 0; t < in[0][i].length; t++) {
                double weight = Math.min(1.28, Math.exp(in[0][i][t] - in[1][i][t]));
                assertThat(cispo[i][t]).isCloseTo(-weight * in[2][i][t], offset(EXACT));
            }
        }
        double[][] positive = Ragged.map(in[2], a -> Math.abs(a) + 0.1);
        double[][] gspo =
                new GspoLoss(0.2, 0.28).evaluate(in[0], in[1], positive, ones).gradient();
        for (int i = 0; i < in[0].length; i++) {
            double ratio = Math.exp((Ragged.sum(in[0][i]) - Ragged.sum(in[1][i])) / in[0][i].length);
            for (double gradient : gspo[i]) {
                assertThat(gradient == 0).isEqualTo(ratio > 1.28);
            }
        }
    }

    // Corrections

    @Property(tries = 200)
    void aSamplerThatIsThePolicyNeedsNoCorrection(@ForAll("three") double[][][] in) {
        for (RolloutCorrection correction : corrections()) {
            for (double[] row : correction.weights(in[0], in[0])) {
                assertThat(row).containsOnly(1);
            }
        }
    }

    @Property(tries = 200)
    void weightsAreTheRatiosWithinTheirBounds(@ForAll("three") double[][][] in) {
        double[][] ratios = Ragged.combine(in[0], in[1], (old, sampler) -> Math.exp(old - sampler));
        double[][] truncated = new RolloutCorrection.TokenTruncated(2).weights(in[0], in[1]);
        double[][] masked = new RolloutCorrection.TokenMasked(0.5, 2).weights(in[0], in[1]);
        double[][] whole = new RolloutCorrection.SequenceTruncated(2).weights(in[0], in[1]);
        double[][] rejected = new RolloutCorrection.SequenceMasked(0.5, 2).weights(in[0], in[1]);
        for (int i = 0; i < ratios.length; i++) {
            double product = Arrays.stream(ratios[i]).reduce(1, (a, b) -> a * b);
            double mean = Math.pow(product, 1.0 / ratios[i].length);
            Assume.that(Math.abs(mean - 0.5) > 1e-9 && Math.abs(mean - 2) > 1e-9);
            for (int t = 0; t < ratios[i].length; t++) {
                double ratio = ratios[i][t];
                assertThat(truncated[i][t]).isEqualTo(Math.min(2, ratio));
                assertThat(masked[i][t]).isEqualTo(ratio < 0.5 || ratio > 2 ? 0 : ratio);
                assertThat(whole[i][t]).isCloseTo(Math.min(2, product), offset(EXACT));
                assertThat(rejected[i][t]).isEqualTo(mean < 0.5 || mean > 2 ? 0 : 1);
            }
        }
    }

    private static List<RolloutCorrection> corrections() {
        return List.of(
                new RolloutCorrection.None(),
                new RolloutCorrection.TokenTruncated(1),
                new RolloutCorrection.SequenceTruncated(2),
                new RolloutCorrection.TokenMasked(0.5, 2),
                new RolloutCorrection.SequenceMasked(0.9, 1.1));
    }

    // Moments and diagnostics

    /** Batch by batch as all at once (trlx's test of its running moments). */
    @Property(tries = 100)
    void runningMomentsAreThoseOfAllNumbers(@ForAll("three") double[][][] in) {
        RunningMoments running = RunningMoments.NONE;
        for (double[] batch : in[0]) {
            running = running.plus(batch);
        }
        double[] all = Arrays.stream(in[0]).flatMapToDouble(Arrays::stream).toArray();
        assertThat(running.count()).isEqualTo(all.length);
        assertThat(running.mean()).isCloseTo(Groups.mean(all), offset(EXACT));
        assertThat(Math.sqrt(running.variance())).isCloseTo(Groups.standardDeviation(all, 0), offset(1e-7));
        double[][] scaled = new RunningMoments(2, 0, 8).scale(new double[][] {{4, -2}});
        assertThat(scaled[0]).containsExactly(new double[] {2, -1}, offset(1e-6));
    }

    /** A response's rewards sum to its standardised score; rewards that were all the same have no scale. */
    @Example
    void standardizingTakesTheMeanOffEachResponseOnce() {
        double[][] rewards = {{1, 3}, {0, 0, -2}};
        RunningMoments moments = RunningMoments.NONE.plus(Ragged.rowSums(rewards));
        double[][] standardized = moments.standardize(rewards);
        assertThat(Ragged.rowSums(standardized)).containsExactly(new double[] {1, -1}, offset(1e-6));
        assertThat(standardized[0][0]).isCloseTo(1.0 / 3, offset(1e-6));
        RunningMoments same = RunningMoments.NONE.plus(new double[] {5, 5, 5});
        assertThat(same.scale(new double[][] {{5}})[0]).containsExactly(5);
        assertThat(same.standardize(new double[][] {{2, 3}})[0]).containsExactly(2, -2);
    }

    /** Over all tokens that π_old may draw the expectation is KL(π‖π_ref); of a policy that has not moved it is K1's mean. */
    @Example
    void aKlIsMeasuredOnTheSamplesOfAnotherPolicy() {
        double[] moved = {0.2, 0.5, 0.3};
        double[] old = {0.6, 0.3, 0.1};
        double[] reference = {0.4, 0.4, 0.2};
        double kl = 0;
        double expected = 0;
        for (int v = 0; v < 3; v++) {
            kl += moved[v] * Math.log(moved[v] / reference[v]);
            expected += old[v]
                    * ReweightedKl.of(
                            new double[][] {{Math.log(moved[v])}},
                            new double[][] {{Math.log(old[v])}},
                            new double[][] {{Math.log(reference[v])}});
        }
        assertThat(expected).isCloseTo(kl, offset(EXACT));
        double[][] unmoved = {{-1, -2}, {-3}};
        assertThat(ReweightedKl.of(unmoved, unmoved, new double[][] {{-2, -4}, {-2.5}}))
                .isCloseTo((3 - 0.5) / 2, offset(EXACT));
    }

    @Example
    void correlationAndKlByPosition() {
        assertThat(Correlation.of(new double[] {1, 2, 3}, new double[] {2, 4, 6}))
                .isCloseTo(1, offset(EXACT));
        assertThat(Correlation.of(new double[] {1, 2, 3}, new double[] {3, 2, 1}))
                .isCloseTo(-1, offset(EXACT));
        assertThat(Correlation.of(new double[] {1, 2}, new double[] {5, 5})).isZero();
        assertThatThrownBy(() -> Correlation.of(new double[1], new double[2])).hasMessageContaining("1 and 2");
        double[][] kl = {{1, 2, 3, 4}, {3, 6}};
        assertThat(KlByPosition.means(kl)).containsExactly(2, 4, 3, 4);
        assertThat(KlByPosition.byPart(kl, 2)).containsExactly(2, 13.0 / 3);
    }

    @Example
    void settingsOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new GspoLoss(0, 0.1)).hasMessageContaining("(0, 1)");
        assertThatThrownBy(() -> new CispoLoss(1.5, 0.1)).hasMessageContaining("CISPO");
        assertThatThrownBy(() -> new RolloutCorrection.TokenTruncated(0.5)).hasMessageContaining("cap");
        assertThatThrownBy(() -> new RolloutCorrection.TokenMasked(2, 3)).hasMessageContaining("[2.0, 3.0]");
        assertThatThrownBy(() -> new OverlongPunishment(10, 11)).hasMessageContaining("buffer 11");
    }
}
