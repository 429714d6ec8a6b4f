package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What happens exactly at an edge: no variance, no tokens, a limit met to the bit. Beside them, small cases by hand. */
class MathEdgesTest {

    @Test
    void withoutVarianceNothingIsExplainedAndNothingCorrelates() {
        double[][] constant = {{2, 2}, {2}};
        assertThat(ExplainedVariance.of(new double[][] {{1, 2}, {3}}, constant)).isZero();
        assertThat(Correlation.of(new double[] {1, 2}, new double[] {3, 3})).isZero();
        assertThat(Correlation.of(new double[] {3, 3}, new double[] {1, 2})).isZero();
        assertThat(Correlation.of(new double[] {1, 2}, new double[] {5, 3})).isCloseTo(-1, offset(1e-15));
    }

    /** Σ(x − m)(x + m) is the same sum of squares, but loses at a mean of 1e8 what is left of 16 digits. */
    @Test
    void farFromZeroAVarianceKeepsItsDigits() {
        double[] x = {1e8, 1e8 + 1, 1e8 + 3};
        double[] y = {1e8, 1e8 + 3, 1e8 + 1};
        double variance = 14.0 / 9;
        assertThat(Groups.standardDeviation(x, 0)).isCloseTo(Math.sqrt(variance), offset(1e-6));
        assertThat(RunningMoments.NONE.plus(x).variance()).isCloseTo(variance, offset(1e-6));
        assertThat(Correlation.of(x, y)).isCloseTo(1.0 / 7, offset(1e-6));
        assertThat(Correlation.of(x, x)).isCloseTo(1, offset(1e-6));
        assertThat(Correlation.of(x, new double[] {0, 1, 3})).isCloseTo(1, offset(1e-6));
        assertThat(Correlation.of(new double[] {0, 1, 3}, x)).isCloseTo(1, offset(1e-6));
        assertThat(Whitening.standardize(new double[][] {x})[0][0])
                .isCloseTo(-4.0 / 3 / Math.sqrt(variance), offset(1e-6));
        assertThat(ExplainedVariance.of(new double[][] {{0, 0, 3}}, new double[][] {x}))
                .isCloseTo(1 - (2.0 / 9) / variance, offset(1e-6));
    }

    /** Their mean is another number than they: 0.30000000000000004/3. */
    @Test
    void equalRewardsDeviateByExactlyNothing() {
        assertThat(Groups.standardDeviation(new double[] {0.1, 0.1, 0.1}, 1)).isZero();
    }

    @Test
    void leadsOverEqualRewardsAreNotScaled() {
        assertThat(new NormalizedRlooAdvantages().ofGroup(new double[] {1, 1, 4})[2])
                .isEqualTo(3);
    }

    @Test
    void rowsWithoutTokensCountForNothing() {
        assertThat(Aggregation.SEQUENCE_MEAN.rowWeights(new int[] {2, 0}, 5)).containsExactly(0.25, 0);
        assertThat(KlUnit.PER_TOKEN_OF_SEQUENCE.of(new double[][] {{1, 3}, {}})).isEqualTo(1);
        assertThat(new OverlongPunishment(4, 2).apply(new double[][] {{}, {5, 6, 7}}))
                .isDeepEqualTo(new double[][] {{}, {5, 6, 6.5}});
    }

    @Test
    void outcomesThatNeverHappenAddNothingToTheKl() {
        assertThat(KlDivergence.exact(new double[] {1, 0}, new double[] {0.5, 0.5}))
                .isEqualTo(Math.log(2));
    }

    @Test
    void atTheEdgesOfItsBandACoefficientStays() {
        KlController controller = new KlController.HalvingDoubling(1, 3, KlUnit.PER_SEQUENCE);
        assertThat(controller.next(1, 4.5, 8)).isEqualTo(1);
        assertThat(controller.next(1, 2, 8)).isEqualTo(1);
        assertThat(controller.next(1, 4.6, 8)).isEqualTo(2);
        assertThat(controller.next(1, 1.9, 8)).isEqualTo(0.5);
    }

    /** A rollout of 512 at a horizon of 100 takes off 102 % of β at once; halvings take longer. */
    @Test
    void aCoefficientThatFellComesBack() {
        for (KlController controller : List.of(
                new KlController.Adaptive(0.1, 6, 100, KlUnit.PER_SEQUENCE),
                new KlController.HalvingDoubling(0.1, 6, KlUnit.PER_SEQUENCE))) {
            double coefficient = 0.1;
            for (int i = 0; i < 2000; i++) {
                coefficient = controller.next(coefficient, 0, 512);
                assertThat(coefficient).isPositive();
            }
            for (int i = 0; i < 20; i++) {
                coefficient = controller.next(coefficient, 60, 512);
            }
            assertThat(coefficient).isGreaterThan(0.1);
        }
    }

    @Test
    void theLeastCoefficientIsAMillionthOfTheFirst() {
        assertThat(new KlController.Adaptive(0.25, 6, 100, KlUnit.PER_SEQUENCE).next(0.25, 0, 512))
                .isEqualTo(0.25e-6);
        assertThat(new KlController.HalvingDoubling(0.25, 6, KlUnit.PER_SEQUENCE).next(0.3e-6, 0, 512))
                .isEqualTo(0.25e-6);
    }

    @Test
    void anAdvantageOfZeroTeachesNothingWhateverTheRatio() {
        double[][] now = {{-1, -1}};
        double[][] old = {{-2000, -1}};
        double[][] zero = {{0, 0}};
        for (PolicyLoss loss :
                List.of(new ClippedPolicyLoss(0.2), new ClippedPolicyLoss(0.2, 0.2, 3), GspoLoss.defaults())) {
            PolicyLossResult result = loss.evaluate(now, old, zero, new double[] {1});
            assertThat(result.loss()).isZero();
            assertThat(result.gradient()).isDeepEqualTo(zero);
        }
    }

    @Test
    void ratiosAtTheEdgesOfABandAreInside() {
        double[][] same = {{-1, -2}};
        double[][] ones = {{1, 1}};
        assertThat(new RolloutCorrection.TokenMasked(1, 2).weights(same, same)).isDeepEqualTo(ones);
        assertThat(new RolloutCorrection.TokenMasked(0.5, 1).weights(same, same))
                .isDeepEqualTo(ones);
    }

    @Test
    void unstoppedResponsesAreCountedByTheirRule() {
        double[] scores = {2, 3};
        boolean[] stopped = {true, false};
        assertThat(RewardShaping.applyMissingStop(scores, stopped, new MissingStop.FixedScore(-1)))
                .containsExactly(2, -1);
        assertThat(RewardShaping.applyMissingStop(scores, stopped, new MissingStop.Penalty(4)))
                .containsExactly(2, -1);
        assertThat(RewardShaping.applyMissingStop(scores, stopped, new MissingStop.Keep()))
                .containsExactly(2, 3);
        double[][] rewards = {{1, 2}, {3, 4}};
        assertThat(RewardShaping.applyMissingStop(rewards, stopped, new MissingStop.Penalty(10)))
                .isDeepEqualTo(new double[][] {{1, 2}, {3, -6}});
        assertThat(rewards[1][1]).isEqualTo(4);
    }

    @Test
    void rewardsAreLimitedAndPayForTheirKl() {
        assertThat(RewardShaping.clip(new double[][] {{-7, -5, 1}, {6}}, 5))
                .isDeepEqualTo(new double[][] {{-5, -5, 1}, {5}});
        double[][] kl = {{2, -4}};
        assertThat(RewardShaping.perToken(new double[][] {{1, 3}}, kl, 0.5)).isDeepEqualTo(new double[][] {{0, 5}});
        assertThat(RewardShaping.perToken(new double[] {3}, kl, 0.5)).isDeepEqualTo(new double[][] {{-1, 5}});
    }

    @Test
    void momentsOfNothing() {
        RunningMoments two = RunningMoments.NONE.plus(new double[] {1, 3});
        assertThat(two.plus(new double[0])).isEqualTo(two).isEqualTo(new RunningMoments(2, 2, 2));
        assertThat(RunningMoments.NONE.variance()).isZero();
        assertThat(RunningMoments.NONE.scale()).isOne();
        assertThat(new RunningMoments(1, 0, 1e-8).scale()).isEqualTo(Math.sqrt(2e-8));
        double[][] standard = two.standardize(new double[][] {{3}, {1, 2}});
        assertThat(standard[0][0]).isCloseTo(1, offset(1e-7));
        assertThat(standard[1][0]).isCloseTo(1, offset(1e-7));
        assertThat(standard[1][1]).isCloseTo(0, offset(1e-7));
    }

    /** Old values 0 and limits ±0.2: only the first error grows when its value is clipped. */
    @Test
    void valuesThatAreHeldBackAreCounted() {
        double[][] values = {{1, 1, 0.1}};
        double[][] returns = {{1, -1, 1}};
        ClippedValueLoss.Result result =
                new ClippedValueLoss(0.2).evaluate(values, new double[1][3], returns, new double[] {1});
        assertThat(result.bindingCount()).isEqualTo(1);
        assertThat(result.loss()).isCloseTo((0.64 + 4 + 0.81) / 2, offset(1e-12));
    }

    /** Ratios e and 1 against [0.8, 1.2]; the advantage of the second token of the first row would like it larger still. */
    @Test
    void sequencesOutsideTheirRangeAreCountedApartFromThoseThatAreHeldBack() {
        double[][] logProbs = {{-1, -1}, {-2}};
        double[][] old = {{-2, -2}, {-2}};
        RatioStatistics gspo = new GspoLoss(0.2, 0.2)
                .evaluate(logProbs, old, new double[][] {{1, -1}, {1}}, new double[] {1, 1})
                .statistics();
        assertThat(gspo.outsideCount()).isEqualTo(2);
        assertThat(gspo.bindingCount()).isEqualTo(1);
        RatioStatistics cispo = new CispoLoss(0.2, 0.2)
                .evaluate(logProbs, old, new double[][] {{1, -1}, {1}}, new double[] {1, 1})
                .statistics();
        assertThat(cispo.outsideCount()).isEqualTo(2);
        assertThat(cispo.bindingCount()).isEqualTo(2);
        RatioStatistics reinforce = new ReinforceLoss()
                .evaluate(logProbs, old, new double[][] {{1, -1}, {1}}, new double[] {1, 1})
                .statistics();
        assertThat(reinforce.outsideCount()).isZero();
    }
}
