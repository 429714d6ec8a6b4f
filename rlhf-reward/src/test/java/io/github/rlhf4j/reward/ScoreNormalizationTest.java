package io.github.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Size;

/** Reference responses score mean 0 and variance 1; what was preferred stays preferred. */
class ScoreNormalizationTest {

    @Property(tries = 200)
    void standardizedReferencesHaveMeanZeroAndVarianceOne(
            @ForAll @Size(min = 2, max = 20) List<@DoubleRange(min = -100, max = 100) Double> samples) {
        double[] scores = samples.stream().mapToDouble(Double::doubleValue).toArray();
        scores[0] = scores[1] + 1;
        double[] after = ScoreNormalization.standardizing(scores).apply(scores);
        double mean = Arrays.stream(after).average().orElseThrow();
        assertThat(mean).isCloseTo(0, within(1e-9));
        assertThat(Arrays.stream(after).map(x -> x * x).average().orElseThrow()).isCloseTo(1, within(1e-9));
    }

    @Example
    void centeringKeepsTheUnit() {
        ScoreNormalization normalization = ScoreNormalization.centering(new double[] {1, 2, 6});
        assertThat(normalization.apply(new double[] {3, 5})).containsExactly(0, 2);
    }

    @Property(tries = 100)
    void onceMoreIsTheComposition(@ForAll @DoubleRange(min = -9, max = 9) double score) {
        ScoreNormalization first = new ScoreNormalization(2, 3);
        ScoreNormalization second = new ScoreNormalization(0.5, -4);
        assertThat(first.then(second).apply(score)).isCloseTo(second.apply(first.apply(score)), within(1e-12));
    }

    @Example
    void referencesWithoutSpreadOrNumbersAreRefused() {
        assertThatThrownBy(() -> ScoreNormalization.standardizing(new double[] {2, 2, 2}))
                .hasMessageContaining("all 3 reference scores are 2.0")
                .hasMessageContaining("use centering()");
        assertThatThrownBy(() -> ScoreNormalization.centering(new double[0])).hasMessageContaining("got none");
        assertThatThrownBy(() -> ScoreNormalization.centering(new double[] {1, Double.NaN}))
                .hasMessageContaining("diverged");
        assertThatThrownBy(() -> new ScoreNormalization(-1, 0)).hasMessageContaining("positive finite gain");
    }
}
