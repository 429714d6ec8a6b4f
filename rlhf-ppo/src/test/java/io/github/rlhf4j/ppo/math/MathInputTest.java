package io.github.rlhf4j.ppo.math;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** Inputs that cannot be right are refused with the rule, the value and the remedy. */
class MathInputTest {

    private static final double[][] TWO = {{1, 2}};

    @Test
    void shapesMustAgree() {
        assertThatThrownBy(() -> GeneralizedAdvantages.estimate(TWO, new double[][] {{1}}, 1, 1))
                .hasMessageContaining("rewards and values")
                .hasMessageContaining("row 0 has 2 and 1");
        assertThatThrownBy(() -> GeneralizedAdvantages.estimate(TWO, TWO, new double[2], 1, 1))
                .hasMessageContaining("one last value per row, got 2 for 1 rows");
        assertThatThrownBy(() -> RewardShaping.perTurn(TWO, new int[][] {{3}}))
                .hasMessageContaining("dialogue 0")
                .hasMessageContaining("2 rewards for turns of [3] tokens");
        assertThatThrownBy(() -> RewardShaping.perTurn(TWO, new int[][] {{3, 0}}))
                .hasMessageContaining("turns of [3, 0] tokens");
        assertThatThrownBy(() -> KlEstimator.K1.values(TWO, new double[][] {{1, 2}, {3}}))
                .hasMessageContaining("1 and 2 rows");
        assertThatThrownBy(() -> new ClippedValueLoss(0.2).evaluate(TWO, TWO, TWO, new double[2]))
                .hasMessageContaining("2 weights for 1 rows")
                .hasMessageContaining("Aggregation.rowWeights");
    }

    @Test
    void settingsMustLieInTheirRange() {
        assertThatThrownBy(() -> GeneralizedAdvantages.estimate(TWO, TWO, 1.5, 1))
                .hasMessageContaining("gamma")
                .hasMessageContaining("[0, 1]")
                .hasMessageContaining("1.5");
        assertThatThrownBy(() -> new ClippedPolicyLoss(1.2))
                .hasMessageContaining("(0, 1)")
                .hasMessageContaining("1.2");
        assertThatThrownBy(() -> new ClippedPolicyLoss(0.2, 0.2, 0.5)).hasMessageContaining("dual clip");
        assertThatThrownBy(() -> KlController.Adaptive.perSequence(0, 6))
                .hasMessageContaining("KL coefficient")
                .hasMessageContaining("KlController.Fixed");
        assertThatThrownBy(() -> new MissingStop.FixedScore(Double.NaN)).hasMessageContaining("finite");
        assertThatThrownBy(() -> BestOfNKl.bound(0)).hasMessageContaining("n ≥ 1");
    }

    @Test
    void statisticsNeedTokens() {
        assertThatThrownBy(() -> Whitening.standardize(new double[][] {{}})).hasMessageContaining("at least one token");
        assertThatThrownBy(() -> Whitening.standardizeUnbiased(new double[][] {{1}}))
                .hasMessageContaining("at least two tokens");
        assertThatThrownBy(() -> Aggregation.TOKEN_MEAN.rowWeights(new int[0], 1))
                .hasMessageContaining("0 tokens");
        assertThatThrownBy(() -> RewardShaping.perToken(new double[] {1}, new double[][] {{}}, 0.1))
                .hasMessageContaining("no token to carry its score");
    }
}
