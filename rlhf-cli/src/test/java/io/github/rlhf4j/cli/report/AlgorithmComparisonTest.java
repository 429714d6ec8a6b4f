package io.github.rlhf4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.cli.report.AlgorithmComparison.Axis;
import io.github.rlhf4j.cli.report.RunResults.Measurement;
import java.util.List;
import org.junit.jupiter.api.Test;

class AlgorithmComparisonTest {

    private static final RunResults START = new RunResults(
            List.of(
                    new Measurement("gold/share_sft", "", 0.2, null),
                    new Measurement("gold/score_sft", "", 0.5, null),
                    new Measurement("reward/score_sft", "", -1, null)),
            List.of(),
            List.of(),
            List.of());

    private static HeldOutPoint point(String algorithm, int step, double seconds, double kl, double share) {
        return new HeldOutPoint(algorithm, step, seconds, kl, share - 1, share, share + 0.1);
    }

    /** One goes to 8 nats in 20 s, the other to 4 nats in 10 s: compared at 2 and 4 nats, at 5 and 10 s. */
    @Test
    void readsBothCurvesWhereBothHaveBeen() {
        AlgorithmComparison comparison = new AlgorithmComparison(
                List.of(
                        point("ppo", 5, 10, 4, 0.4),
                        point("ppo", 10, 20, 8, 0.6),
                        point("grpo", 5, 5, 3, 0.5),
                        point("grpo", 10, 10, 4, 0.3)),
                START);

        assertThat(comparison.common(Axis.KL)).isEqualTo(4);
        assertThat(comparison.columns(Axis.KL))
                .containsExactly("share, 2.000 nats", "share, 4.000 nats", "score, 2.000 nats", "score, 4.000 nats");
        assertThat(comparison.rows(Axis.KL).get(0).values().subList(0, 2)).containsExactly((0.2 + 0.4) / 2, 0.4);
        assertThat(comparison.rows(Axis.KL).get(1).values().subList(0, 2))
                .containsExactly(0.2 + 2.0 / 3 * (0.5 - 0.2), 0.3);
        assertThat(comparison.common(Axis.TIME)).isEqualTo(10);
        assertThat(comparison.rows(Axis.TIME).get(0).values()).containsExactly((0.2 + 0.4) / 2, 0.4, 0.5, 0.5);
        assertThat(comparison.rows(Axis.TIME).get(1).last().kl()).isEqualTo(4);
        assertThat(comparison.text()).contains("at equal KL", "at equal time", "grpo");
    }

    /** At 2 nats it was twice: on the way up at 0.3, and at 0.7 on the way down from 4 to 1. */
    @Test
    void whatCountsIsThePolicyThatWasLastAtAKl() {
        AlgorithmComparison comparison = new AlgorithmComparison(
                List.of(
                        point("dpo", 1, 1, 4, 0.4),
                        point("dpo", 2, 2, 1, 0.85),
                        point("ppo", 1, 1, 1, 0.1),
                        point("ppo", 2, 2, 4, 0.4)),
                START);
        assertThat(comparison.rows(Axis.KL).get(0).values().get(0)).isCloseTo(0.7, within(1e-12));
        assertThat(comparison.rows(Axis.KL).get(0).values().get(1)).isEqualTo(0.4);
    }

    @Test
    void withoutAHiddenTasteTheLearnedRewardIsCompared() {
        AlgorithmComparison comparison = new AlgorithmComparison(
                List.of(point("ppo", 1, 1, 1, Double.NaN), point("dpo", 1, 1, 1, Double.NaN)), START);

        assertThat(comparison.columns(Axis.TIME)).containsExactly("learned, 0.500 s", "learned, 1.000 s");
    }

    @Test
    void oneAlgorithmIsNotCompared() {
        assertThat(new AlgorithmComparison(List.of(point("ppo", 1, 1, 1, 0.3)), START).text())
                .isEmpty();
        assertThat(new AlgorithmComparison(List.of(), START).chart(Axis.KL).isEmpty())
                .isTrue();
    }
}
