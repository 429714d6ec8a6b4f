package io.github.rlhf4j.reward.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What choosing the best of n by a proxy reward does to the proxy and to the gold reward: the curve on which
 * over-optimisation shows (Gao et al. 2022, §3.1). The KL that goes with n is {@code log n − (n − 1)/n}, in rlhf-ppo.
 *
 * <p>From N ≥ n samples of a prompt, each n has the unbiased estimator of Nakano et al. 2021 (appendix I): the mean over
 * all C(N, n) subsets, that is Σ_i C(i−1, n−1)/C(N, n)·gold_(i) over samples sorted by proxy, ascending. Samples of equal
 * proxy share their mean gold: which of them wins is a fair draw.
 *
 * @param points by n, in the order asked for
 */
public record BestOfNCurve(List<Point> points) {

    /**
     * The expectation at one n.
     *
     * @param n samples to choose from, ≥ 1
     * @param proxy expected proxy score of the chosen one, mean over prompts
     * @param gold expected gold score of the chosen one, mean over prompts
     * @param goldStandardError of the mean over prompts (divisor n − 1); NaN for one prompt
     */
    public record Point(int n, double proxy, double gold, double goldStandardError) {}

    public BestOfNCurve {
        points = List.copyOf(points);
    }

    /**
     * The curve over several prompts.
     *
     * @param proxy {@code [prompt][sample]}: scores that choose
     * @param gold same shape: scores that count
     * @param sizes each n, in [1, fewest samples of a prompt]
     */
    public static BestOfNCurve of(double[][] proxy, double[][] gold, int... sizes) {
        check(proxy, gold);
        List<Point> points = new ArrayList<>();
        for (int n : sizes) {
            double[] expectedProxy = IntStream.range(0, proxy.length)
                    .mapToDouble(p -> expectedBest(proxy[p], proxy[p], n))
                    .toArray();
            double[] expectedGold = IntStream.range(0, proxy.length)
                    .mapToDouble(p -> expectedBest(proxy[p], gold[p], n))
                    .toArray();
            points.add(new Point(n, mean(expectedProxy), mean(expectedGold), standardError(expectedGold)));
        }
        return new BestOfNCurve(points);
    }

    /**
     * Expected gold score of the sample with the best proxy score among n drawn without replacement from these.
     *
     * @param n in [1, number of samples]
     */
    public static double expectedBest(double[] proxy, double[] gold, int n) {
        int total = proxy.length;
        if (gold.length != total || n < 1 || n > total) {
            throw new IllegalArgumentException("best-of-" + n + " needs at least " + n
                    + " samples of a prompt, each with a proxy and a gold score; got " + total + " and " + gold.length);
        }
        Integer[] ascending = IntStream.range(0, total).boxed().toArray(Integer[]::new);
        Arrays.sort(ascending, Comparator.comparingDouble(i -> proxy[i]));
        double[] shared = shareAmongTies(proxy, gold, ascending);
        double weight = (double) n / total; // C(N−1, n−1)/C(N, n); one place down multiplies by (i − n)/(i − 1)
        double expected = 0;
        for (int i = total; i >= n; i--) {
            expected += weight * shared[i - 1];
            weight *= i > 1 ? (double) (i - n) / (i - 1) : 0;
        }
        return expected;
    }

    private static double[] shareAmongTies(double[] proxy, double[] gold, Integer[] ascending) {
        double[] shared = new double[gold.length];
        int from = 0;
        while (from < shared.length) {
            int to = from;
            double sum = 0;
            while (to < shared.length && proxy[ascending[to]] == proxy[ascending[from]]) {
                sum += gold[ascending[to++]];
            }
            Arrays.fill(shared, from, to, sum / (to - from));
            from = to;
        }
        return shared;
    }

    private static void check(double[][] proxy, double[][] gold) {
        if (proxy.length == 0 || proxy.length != gold.length) {
            throw new IllegalArgumentException("a best-of-n curve needs at least one prompt and gold scores for each,"
                    + " got " + proxy.length + " rows of proxy and " + gold.length + " of gold scores");
        }
        for (int p = 0; p < proxy.length; p++) {
            double sum = Arrays.stream(proxy[p]).sum() + Arrays.stream(gold[p]).sum();
            if (!Double.isFinite(sum)) {
                throw new IllegalArgumentException("scores of prompt " + p + " are not all finite");
            }
        }
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double standardError(double[] values) {
        double mean = mean(values);
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        return Math.sqrt(squares / (values.length - 1) / values.length);
    }
}
