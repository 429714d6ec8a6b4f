package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.ppo.BestOfN;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BestOfNTest {

    private static BestOfN best(int n) {
        return new BestOfN(PpoFixture.policy(), PpoFixture.COUNT_B, PpoFixture.SAMPLING, n);
    }

    @Test
    void choosesTheResponseThatScoresBest() {
        List<BestOfN.Choice> choices = best(16).choose(PpoFixture.PROMPTS, 1);
        assertThat(choices).hasSize(PpoFixture.PROMPTS.size());
        for (int i = 0; i < choices.size(); i++) {
            BestOfN.Choice choice = choices.get(i);
            assertThat(choice.scores()).hasSize(16);
            assertThat(choice.score())
                    .isEqualTo(Arrays.stream(choice.scores()).max().orElseThrow());
            assertThat(choice.score()).isEqualTo(PpoFixture.COUNT_B.score(List.of(choice.exchange()))[0]);
            assertThat(choice.completion().prompt())
                    .isEqualTo(PpoFixture.PROMPTS.get(i).tokens());
            assertThat(Arrays.stream(choice.scores()).distinct().count()).isGreaterThan(1);
        }
    }

    @Test
    void moreSamplesScoreBetterAndCostMoreKl() {
        double one = meanScore(best(1));
        double eight = meanScore(best(8));
        assertThat(eight).isGreaterThan(one + 0.5);
        assertThat(best(1).klBound()).isZero();
        assertThat(best(8).klBound()).isCloseTo(Math.log(8) - 7.0 / 8, offset(1e-12));
    }

    private static double meanScore(BestOfN best) {
        double sum = 0;
        for (int seed = 0; seed < 50; seed++) {
            sum += best.choose(PpoFixture.PROMPTS, seed).stream()
                    .mapToDouble(BestOfN.Choice::score)
                    .average()
                    .orElseThrow();
        }
        return sum / 50;
    }

    @Test
    void needsAtLeastOneSample() {
        assertThatThrownBy(() -> best(0)).hasMessageContaining("n ≥ 1");
    }
}
