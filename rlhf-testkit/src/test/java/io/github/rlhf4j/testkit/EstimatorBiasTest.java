package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.ppo.math.BestOfNKl;
import io.github.rlhf4j.ppo.math.DrGrpoAdvantages;
import io.github.rlhf4j.ppo.math.GroupAdvantages;
import io.github.rlhf4j.ppo.math.GrpoAdvantages;
import io.github.rlhf4j.ppo.math.RlooAdvantages;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** Expectations by enumeration on a tabular policy: every group of responses with its probability. */
class EstimatorBiasTest {

    private static final int GROUP = 3;

    private static ResponseDistribution responses(long seed) {
        TabularPolicy policy = TabularPolicy.random(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 8, new TabularOptimizer.Sgd(), seed, 1);
        return policy.responses(PpoFixture.LETTERS.encode("a"), PpoFixture.SAMPLING.withMaxNewTokens(2));
    }

    private static double reward(TokenSequence response, double bonus) {
        String text = PpoFixture.LETTERS.decode(response);
        return text.length() + (text.endsWith("b") ? bonus : 0);
    }

    /**
     * E[1/n Σ_i A_i·∇log π(y_i)] with respect to the logits of the distribution over whole responses, where ∇log π(y) is the
     * indicator of y minus p.
     */
    private static double[] expectedGradient(GroupAdvantages.OfSequences estimator, double[] p, double[] rewards) {
        double[] gradient = new double[p.length];
        int[] drawn = new int[GROUP];
        for (long code = 0; code < Math.round(Math.pow(p.length, GROUP)); code++) {
            long rest = code;
            double probability = 1;
            double[] own = new double[GROUP];
            for (int i = 0; i < GROUP; i++) {
                drawn[i] = (int) (rest % p.length);
                rest /= p.length;
                probability *= p[drawn[i]];
                own[i] = rewards[drawn[i]];
            }
            double[] advantages = estimator.ofGroup(own);
            for (int i = 0; i < GROUP; i++) {
                for (int y = 0; y < p.length; y++) {
                    gradient[y] += probability * advantages[i] * ((drawn[i] == y ? 1 : 0) - p[y]) / GROUP;
                }
            }
        }
        return gradient;
    }

    /** dE[r]/dlogit_y = p_y·(r_y − E[r]). */
    private static double[] trueGradient(double[] p, double[] rewards) {
        double mean = 0;
        for (int y = 0; y < p.length; y++) {
            mean += p[y] * rewards[y];
        }
        double[] gradient = new double[p.length];
        for (int y = 0; y < p.length; y++) {
            gradient[y] = p[y] * (rewards[y] - mean);
        }
        return gradient;
    }

    private static double cosine(double[] a, double[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += a[i] * b[i];
            aa += a[i] * a[i];
            bb += b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    /** RLOO is unbiased, Dr. GRPO up to (n − 1)/n, GRPO is not: its gradient points elsewhere. */
    @Property(tries = 15)
    void leaveOneOutIsUnbiasedWhereGrpoIsNot(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @DoubleRange(min = 0.5, max = 3) double bonus) {
        ResponseDistribution responses = responses(seed);
        double[] p =
                responses.probabilities().values().stream().mapToDouble(x -> x).toArray();
        double[] rewards = responses.probabilities().keySet().stream()
                .mapToDouble(y -> reward(y, bonus))
                .toArray();
        double[] exact = trueGradient(p, rewards);
        double[] rloo = expectedGradient(new RlooAdvantages(), p, rewards);
        double[] drGrpo = expectedGradient(new DrGrpoAdvantages(), p, rewards);
        double[] grpo = expectedGradient(GrpoAdvantages.defaults(), p, rewards);
        assertThat(rloo).containsExactly(exact, offset(1e-12));
        for (int y = 0; y < p.length; y++) {
            assertThat(drGrpo[y]).isCloseTo(exact[y] * (GROUP - 1) / GROUP, offset(1e-12));
        }
        assertThat(cosine(drGrpo, exact)).isCloseTo(1, offset(1e-12));
        assertThat(cosine(grpo, exact)).isLessThan(1 - 1e-6);
    }

    /** KL(best of n‖π) by enumeration lies below log n − (n − 1)/n (Beirami et al. 2024), also where rewards tie. */
    @Property(tries = 100)
    void bestOfNCostsLessKlThanItsBound(
            @ForAll @IntRange(max = 1000) int seed,
            @ForAll @DoubleRange(min = 0.1, max = 3) double bonus,
            @ForAll @IntRange(min = 1, max = 64) int n) {
        ResponseDistribution responses = responses(seed);
        ResponseDistribution best = bestOf(responses, n, bonus);
        assertThat(best.expectation(y -> 1)).isCloseTo(1, offset(1e-9));
        assertThat(best.kl(responses)).isLessThanOrEqualTo(BestOfNKl.bound(n) + 1e-12);
        assertThat(best.expectation(y -> reward(y, bonus)))
                .isGreaterThanOrEqualTo(responses.expectation(y -> reward(y, bonus)) - 1e-12);
    }

    @Example
    void theBoundIsNearlyReachedWithMuchChoice() {
        TabularPolicy uniform =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd());
        ResponseDistribution many =
                uniform.responses(PpoFixture.LETTERS.encode("a"), PpoFixture.SAMPLING.withMaxNewTokens(9));
        Map<TokenSequence, Double> rank = new LinkedHashMap<>();
        many.probabilities().keySet().forEach(y -> rank.put(y, (double) rank.size()));
        ResponseDistribution best = bestOf(many, 2, rank);
        assertThat(best.kl(many)).isBetween(0.8 * BestOfNKl.bound(2), BestOfNKl.bound(2));
    }

    private static ResponseDistribution bestOf(ResponseDistribution responses, int n, double bonus) {
        Map<TokenSequence, Double> rewards = new LinkedHashMap<>();
        responses.probabilities().keySet().forEach(y -> rewards.put(y, reward(y, bonus)));
        return bestOf(responses, n, rewards);
    }

    /** Responses in order of reward take F^n − F'^n; those that tie share it, for the first drawn of them wins. */
    private static ResponseDistribution bestOf(
            ResponseDistribution responses, int n, Map<TokenSequence, Double> rewards) {
        List<TokenSequence> sorted = new ArrayList<>(responses.probabilities().keySet());
        sorted.sort(Comparator.comparingDouble(rewards::get));
        Map<TokenSequence, Double> best = new LinkedHashMap<>();
        double below = 0;
        for (int from = 0; from < sorted.size(); ) {
            int to = from;
            double mass = 0;
            while (to < sorted.size() && rewards.get(sorted.get(to)).equals(rewards.get(sorted.get(from)))) {
                mass += responses.probability(sorted.get(to++));
            }
            double share = (Math.pow(below + mass, n) - Math.pow(below, n)) / mass;
            for (TokenSequence tied : sorted.subList(from, to)) {
                best.put(tied, responses.probability(tied) * share);
            }
            below += mass;
            from = to;
        }
        Map<TokenSequence, Double> ordered = new LinkedHashMap<>();
        responses.probabilities().keySet().forEach(y -> ordered.put(y, best.get(y)));
        return new ResponseDistribution(ordered);
    }
}
