package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Medians, ratios and goals. */
class StatisticsTest {

    @Test
    void theMedianOfAnEvenNumberIsTheMiddleOfTheTwoInTheMiddle() {
        Samples samples = Samples.of(4, 1, 100, 2);
        assertThat(samples.median()).isEqualTo(3);
        assertThat(samples.min()).isEqualTo(1);
        assertThat(samples.max()).isEqualTo(100);
    }

    @Test
    void theMedianOfAnOddNumberIsTheOneInTheMiddle() {
        assertThat(Samples.of(9, 1, 5).median()).isEqualTo(5);
    }

    @Test
    void nothingMeasuredIsNoSample() {
        assertThatThrownBy(Samples::of).hasMessageContaining("at least one");
        assertThatThrownBy(() -> Samples.of(1, Double.NaN)).hasMessageContaining("NaN");
    }

    @Test
    void aRatioIsThatOfTheMediansAndItsRangeThatOfTheRounds() {
        Ratio ratio = Ratio.of(Samples.of(1, 2, 3), Samples.of(4, 4, 4));
        assertThat(ratio.ofMedians()).isEqualTo(0.5);
        assertThat(ratio.least()).isEqualTo(0.25);
        assertThat(ratio.most()).isEqualTo(0.75);
        assertThat(ratio).hasToString("0.50 (0.25–0.75)");
    }

    @Test
    void bothSidesAreMeasuredInTheSameRounds() {
        assertThatThrownBy(() -> Ratio.of(Samples.of(1), Samples.of(1, 2))).hasMessageContainingAll("1", "2", "rounds");
    }

    @Test
    void theBetterVariantOfThePeerCounts() {
        Comparison comparison =
                new Comparison(Samples.of(1, 1), Map.of("eager", Samples.of(4, 4), "compiled", Samples.of(2, 2)));
        assertThat(comparison.best()).isEqualTo("compiled");
        assertThat(comparison.ratio().ofMedians()).isEqualTo(0.5);
    }

    @Test
    void aGoalIsMetAtItsLimit() {
        assertThat(Goal.atMost(0.8).isMetBy(0.8)).isTrue();
        assertThat(Goal.atMost(0.8).isMetBy(0.81)).isFalse();
        assertThat(Goal.atMost(0.8)).hasToString("≤ 0.80");
        assertThat(Goal.NONE.exists()).isFalse();
        assertThat(Goal.NONE).hasToString("");
    }

    @Test
    void aQuickPlanMeasuresLessButTheSame() {
        assertThat(new Plan(3, 7, 10).quick()).isEqualTo(new Plan(1, 2, 10));
        assertThat(new Plan(1, 1, 10).quick()).isEqualTo(new Plan(1, 1, 10));
    }

    @Test
    void figuresCarryTheirUnit() {
        assertThat(Figures.duration(0.4123)).isEqualTo("412 ms");
        assertThat(Figures.duration(0.00412)).isEqualTo("4.12 ms");
        assertThat(Figures.duration(3.214)).isEqualTo("3.21 s");
        assertThat(Figures.rate(4096, 0.5, "tokens")).isEqualTo("8,192 tokens/s");
        assertThat(Figures.rate(9, 0.5, "MB")).isEqualTo("18.0 MB/s");
        assertThat(Figures.memory(3L << 29)).isEqualTo("1.50 GiB");
    }

    /** One layer of width 2, feed-forward 8, vocabulary 3; one text of two tokens, one of them scored. */
    @Test
    void operationsOfATrainingStepAreThoseOfItsProducts() {
        var shape = io.github.rlhf4j.transformer.model.TransformerConfig.gpt2(3, 2, 2, 1, 1);
        double layers = 2 * 2 * (4 * 4 + 2 * 2 * 8);
        double head = 2 * 2 * 3;
        double attention = 2 * 2 * 3 * 2; // scores and values, of three pairs
        assertThat(TrainingOperations.perStep(shape, 2)).isCloseTo(3 * (layers + head + attention), within(1e-9));
    }
}
