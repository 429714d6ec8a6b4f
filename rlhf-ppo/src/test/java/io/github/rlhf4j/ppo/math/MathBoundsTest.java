package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.ppo.Bounds;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each setting's range, at its edges, and each function's rule about the shapes it takes. */
class MathBoundsTest {

    private static final double[][] ROWS = {{-1, -2}, {-3}};
    private static final double[][] SHORT = {{-1, -2}};
    private static final double[] WEIGHTS = {1, 1};

    @Test
    void clipRanges() {
        Bounds.of("lower clip range", x -> new ClippedPolicyLoss(x, 0.2, 0))
                .accept(0.9)
                .refuse(-0.1, 0, 1, Double.NaN);
        Bounds.of("upper clip range", x -> new GspoLoss(0.2, x))
                .accept(9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("dual clip", x -> new ClippedPolicyLoss(0.2, 0.2, x))
                .accept(0, 1.5)
                .refuse(-1, 0.5, 1, Double.NaN);
        Bounds.of("lower part in (0, 1]", x -> new CispoLoss(x, 0.2))
                .accept(0.5, 1)
                .refuse(-1, 0, 1.1, Double.NaN);
        Bounds.of("upper part > 0", x -> new CispoLoss(0.2, x))
                .accept(9)
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("clip range of the value", ClippedValueLoss::new)
                .accept(0, 9)
                .refuse(-0.1)
                .refuseNonFinite();
    }

    @Test
    void advantages() {
        Bounds.of("gamma", x -> GeneralizedAdvantages.estimate(ROWS, ROWS, x, 1))
                .accept(0, 1)
                .refuse(-0.1, 1.1);
        Bounds.of("lambda", x -> GeneralizedAdvantages.estimate(ROWS, ROWS, 1, x))
                .accept(0, 1)
                .refuse(-0.1, 1.1);
        Bounds.of("epsilon of GRPO", x -> new GrpoAdvantages(GrpoAdvantages.Deviation.SAMPLE, x))
                .accept(1e-9)
                .refuse(-1, 0)
                .refuseNonFinite();
        double[][] six = {{1}, {2}, {3}, {4}, {5}, {6}};
        Bounds.of("whole groups", n -> new NormalizedRlooAdvantages().estimate(six, (int) n))
                .accept(3, 6)
                .refuse(2, 4);
        Bounds.of("whole groups", n -> new RlooAdvantages().estimate(six, (int) n))
                .accept(2, 3)
                .refuse(0, 1, 4);
        Bounds.of("whole groups", n -> new ReinforceAdvantages().estimate(six, (int) n))
                .accept(1, 2)
                .refuse(0, 4);
        for (ReinforcePlusPlusAdvantages.Baseline baseline : ReinforcePlusPlusAdvantages.Baseline.values()) {
            Bounds.of("whole groups", n -> new ReinforcePlusPlusAdvantages(baseline).estimate(six, (int) n))
                    .accept(2, 3)
                    .refuse(0, 4);
        }
        assertThat(new ReinforcePlusPlusAdvantages(ReinforcePlusPlusAdvantages.Baseline.NONE).leastGroup())
                .isOne();
        Bounds.of("whole groups", n -> new ReinforcePlusPlusAdvantages(ReinforcePlusPlusAdvantages.Baseline.GROUP_MEAN)
                        .estimate(six, (int) n))
                .refuse(1);
        assertThat(new ReinforceAdvantages().leastGroup()).isOne();
        assertThatThrownBy(() -> new RlooAdvantages().estimate(new double[0][], 2))
                .hasMessageContaining("whole groups");
        Bounds.of("whole groups", n -> DynamicSampling.informativeGroups(new double[] {1, 2}, (int) n))
                .accept(1, 2)
                .refuse(-1, 0, 3);
    }

    @Test
    void klControllers() {
        Bounds.of("KL coefficient must be ≥ 0", KlController.Fixed::new)
                .accept(0, 1)
                .refuse(-0.1)
                .refuseNonFinite();
        assertThatThrownBy(() -> new KlController.Fixed(-1)).message().doesNotContain("use KlController.Fixed");
        Bounds.of("KL coefficient must be > 0", x -> KlController.Adaptive.perSequence(x, 6))
                .refuse(0)
                .refuseNonFinite();
        Bounds.of("KL target must be > 0", x -> KlController.Adaptive.perSequence(1, x))
                .refuse(0)
                .refuseNonFinite();
        Bounds.of("horizon", x -> new KlController.Adaptive(1, 6, x, KlUnit.PER_TOKEN))
                .refuse(0)
                .refuseNonFinite();
        Bounds.of("KL coefficient must be > 0", x -> new KlController.HalvingDoubling(x, 6, KlUnit.PER_TOKEN))
                .refuse(-1, 0)
                .refuseNonFinite();
        Bounds.of("KL target must be > 0", x -> new KlController.HalvingDoubling(1, x, KlUnit.PER_TOKEN))
                .refuse(0)
                .refuseNonFinite();
        assertThatThrownBy(() -> new KlController.HalvingDoubling(0, 6, KlUnit.PER_TOKEN))
                .hasMessageContaining("use KlController.Fixed");
    }

    @Test
    void rewards() {
        Bounds.of("score of an unstopped", MissingStop.FixedScore::new)
                .accept(-1)
                .refuseNonFinite();
        Bounds.of("penalty of an unstopped", MissingStop.Penalty::new)
                .accept(-1, 0)
                .refuseNonFinite();
        Bounds.of("overlong punishment", x -> new OverlongPunishment((int) x, 1))
                .accept(1, 2)
                .refuse(-1, 0);
        Bounds.of("overlong punishment", x -> new OverlongPunishment(5, (int) x))
                .accept(1, 5)
                .refuse(-1, 0, 6);
        assertThatThrownBy(() -> new OverlongPunishment(0, 0)).hasMessageContaining("limit 0 and buffer 0");
        assertThatThrownBy(() -> RewardShaping.applyMissingStop(new double[1], new boolean[2], new MissingStop.Keep()))
                .hasMessageContaining("1 scores for 2 responses");
        assertThatThrownBy(() -> RewardShaping.perToken(new double[1], ROWS, 0.1))
                .hasMessageContaining("1 scores for 2 responses");
    }

    @Test
    void importanceWeights() {
        Bounds.of("cap", RolloutCorrection.TokenTruncated::new)
                .accept(1, 9)
                .refuse(0.9)
                .refuseNonFinite();
        Bounds.of("cap", RolloutCorrection.SequenceTruncated::new)
                .accept(1, 9)
                .refuse(0.9)
                .refuseNonFinite();
        for (String what : List.of("low in (0, 1]", "a finite high ≥ 1")) {
            Bounds.of(what, x -> new RolloutCorrection.TokenMasked(x, 2))
                    .accept(0.1, 1)
                    .refuse(0, 1.1, Double.NaN);
            Bounds.of(what, x -> new RolloutCorrection.SequenceMasked(x, 2))
                    .accept(0.1, 1)
                    .refuse(0, 1.1);
            Bounds.of(what, x -> new RolloutCorrection.TokenMasked(0.5, x))
                    .accept(1, 9)
                    .refuse(0.9)
                    .refuseNonFinite();
        }
    }

    @Test
    void statisticsNeedSomethingToBeOf() {
        Bounds.of("at least one token", n -> Aggregation.SEQUENCE_SUM.rowWeights(new int[] {1}, (int) n))
                .accept(1)
                .refuse(-1, 0);
        assertThatThrownBy(() -> Correlation.of(new double[0], new double[0])).hasMessageContaining("at least one");
        assertThatThrownBy(() -> Correlation.of(new double[1], new double[2])).hasMessageContaining("1 and 2");
        assertThatThrownBy(() -> KlDivergence.exact(new double[1], new double[2]))
                .hasMessageContaining("1 and 2");
        for (KlUnit unit : List.of(KlUnit.PER_SEQUENCE, KlUnit.PER_TOKEN_OF_SEQUENCE)) {
            assertThatThrownBy(() -> unit.of(new double[0][])).hasMessageContaining("at least one sequence");
        }
    }

    @Test
    void policyLossesTakeThreeMatricesOfOneShapeAndAWeightPerRow() {
        List<PolicyLoss> losses = List.of(
                new ClippedPolicyLoss(0.2), new GspoLoss(0.2, 0.2), new CispoLoss(0.2, 0.2), new ReinforceLoss());
        for (PolicyLoss loss : losses) {
            assertThatThrownBy(() -> loss.evaluate(ROWS, SHORT, ROWS, WEIGHTS)).hasMessageContaining("2 and 1 rows");
            assertThatThrownBy(() -> loss.evaluate(ROWS, ROWS, SHORT, WEIGHTS))
                    .hasMessageContaining("advantages must have one row per sequence");
            assertThatThrownBy(() -> loss.evaluate(ROWS, ROWS, ROWS, new double[3]))
                    .hasMessageContaining("3 weights for 2 rows");
        }
    }

    @Test
    void otherLossesTakeMatricesOfOneShapeAndAWeightPerRow() {
        ClippedValueLoss value = new ClippedValueLoss(0.2);
        assertThatThrownBy(() -> value.evaluate(ROWS, SHORT, ROWS, WEIGHTS)).hasMessageContaining("oldValues");
        assertThatThrownBy(() -> value.evaluate(ROWS, ROWS, SHORT, WEIGHTS)).hasMessageContaining("returns");
        assertThatThrownBy(() -> ExactKlPenalty.evaluate(ROWS, SHORT, WEIGHTS)).hasMessageContaining("referenceLogits");
        double[] three = new double[3];
        assertThatThrownBy(() -> ExactKlPenalty.evaluate(ROWS, ROWS, three)).hasMessageContaining("3 weights");
        assertThatThrownBy(() -> EntropyBonus.evaluate(ROWS, 1, three)).hasMessageContaining("3 weights");
        assertThatThrownBy(() -> LanguageModelLoss.evaluate(ROWS, three)).hasMessageContaining("3 weights");
        assertThatThrownBy(() -> new KlPenalty.Exact(1).evaluate(ROWS, three)).hasMessageContaining("3 weights");
        assertThatThrownBy(() -> KlPenalty.evaluate(KlEstimator.K2, ROWS, ROWS, three))
                .hasMessageContaining("3 weights");
    }
}
