package io.github.rlhf4j.reward.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.commons.math3.util.CombinatoricsUtils;

/** The estimator is the mean over all subsets, by definition; here the subsets are counted out. */
class BestOfNCurveTest {

    @Property(tries = 200)
    void isTheMeanOverAllSubsets(
            @ForAll @Size(min = 1, max = 8) List<@IntRange(min = 0, max = 5) Integer> proxies,
            @ForAll @Size(8) List<@DoubleRange(min = -3, max = 3) Double> golds,
            @ForAll @IntRange(min = 1, max = 8) int size) {
        int n = Math.min(size, proxies.size());
        double[] proxy = proxies.stream().mapToDouble(Integer::doubleValue).toArray();
        double[] gold = golds.stream().limit(proxy.length).mapToDouble(d -> d).toArray();
        double sum = 0;
        long subsets = 0;
        var iterator = CombinatoricsUtils.combinationsIterator(proxy.length, n);
        while (iterator.hasNext()) {
            sum += goldOfBest(proxy, gold, iterator.next());
            subsets++;
        }
        assertThat(BestOfNCurve.expectedBest(proxy, gold, n)).isCloseTo(sum / subsets, within(1e-10));
    }

    /** Gold of the best of a subset; where several share the best proxy, each is as likely. */
    private static double goldOfBest(double[] proxy, double[] gold, int[] subset) {
        double best = Arrays.stream(subset).mapToDouble(i -> proxy[i]).max().orElseThrow();
        return Arrays.stream(subset)
                .filter(i -> proxy[i] == best)
                .mapToDouble(i -> gold[i])
                .average()
                .orElseThrow();
    }

    @Example
    void oneIsTheMeanAndAllIsTheMaximum() {
        double[] proxy = {0.3, -1, 2, 0.1};
        double[] gold = {5, 6, 7, 8};
        assertThat(BestOfNCurve.expectedBest(proxy, gold, 1)).isCloseTo(6.5, within(1e-12));
        assertThat(BestOfNCurve.expectedBest(proxy, gold, 4)).isEqualTo(7);
    }

    @Example
    void weightsDoNotOverflowForManySamples() {
        double[] proxy = new double[5_000];
        Arrays.setAll(proxy, i -> i);
        assertThat(BestOfNCurve.expectedBest(proxy, proxy, 100)).isCloseTo(5_001 * 100 / 101.0 - 1, within(1e-6));
    }

    @Example
    void promptsAreAveraged() {
        BestOfNCurve curve =
                BestOfNCurve.of(new double[][] {{1, 2}, {3, 1, 2}}, new double[][] {{0, 4}, {6, 0, 0}}, 1, 2);
        assertThat(curve.points()).extracting(BestOfNCurve.Point::n).containsExactly(1, 2);
        assertThat(curve.points().get(0).gold()).isCloseTo(2, within(1e-12));
        assertThat(curve.points().get(1).gold()).isCloseTo(4, within(1e-12));
        assertThat(curve.points().get(1).proxy()).isCloseTo((2 + 8 / 3.0) / 2, within(1e-12));
        assertThat(curve.points().get(1).goldStandardError()).isCloseTo(0, within(1e-12));
    }

    @Example
    void tooFewSamplesAndBadScoresAreRefused() {
        assertThatThrownBy(() -> BestOfNCurve.expectedBest(new double[2], new double[2], 3))
                .hasMessageContaining("best-of-3 needs at least 3 samples of a prompt");
        assertThatThrownBy(() -> BestOfNCurve.of(new double[][] {{Double.NaN}}, new double[][] {{1}}, 1))
                .hasMessageContaining("scores of prompt 0 are not all finite");
    }
}
