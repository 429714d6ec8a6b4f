package io.github.rlhf4j.reward.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Edges of settings and shapes: what mutation testing found untested (docs/mutation-testing.md). */
class RankingBoundsTest {

    @ParameterizedTest
    @CsvSource({
        "-0.1, 0, 0, margin",
        "NaN, 0, 0, margin",
        "Infinity, 0, 0, margin",
        "0, -0.1, 0, labelNoise",
        "0, 1, 0, labelNoise",
        "0, NaN, 0, labelNoise",
        "0, 0, -1, centering",
        "0, 0, Infinity, centering",
    })
    void settingsOutOfRangeAreNamed(double margin, double labelNoise, double centering, String named) {
        assertThatThrownBy(() -> new AllPairsLoss(margin, labelNoise, centering))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(named);
    }

    @Test
    void aBatchHasARankingAndRanksForEach() {
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.evaluate(new double[0][], new int[0][]))
                .hasMessageContaining("at least one ranking");
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.evaluate(new double[][] {{1, 2}}, new int[0][]))
                .hasMessageContaining("1 rows of scores and 0 of ranks");
    }

    /** −log σ(2 − 0.5) by hand. */
    @Test
    void theMarginIsTakenOffTheLead() {
        double loss = AllPairsLoss.DEFAULT
                .withMargin(0.5)
                .of(new double[] {3, 1}, new int[] {1, 2})
                .loss();
        assertThat(loss).isCloseTo(Math.log1p(Math.exp(-1.5)), within(1e-15));
    }

    /** Of two that tie neither is chosen from the other: two choices from two, and none for the last. */
    @Test
    void equalsDoNotCompete() {
        double loss = new PlackettLuceLoss()
                .of(new double[] {1, 2, 0}, new int[] {1, 1, 2})
                .loss();
        assertThat(loss).isCloseTo(Math.log1p(Math.exp(-1)) + Math.log1p(Math.exp(-2)), within(1e-15));
    }

    @Test
    void noRankingsAtAllAreRefused() {
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.evaluate(new double[0][], new int[0][]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one ranking");
    }
}
