package io.github.rlhf4j.transformer.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** The distribution that tokens are drawn from, and the log-probability that is reported of them. */
class TokenSamplerTest {

    /** What a log-prob may be off by: its normaliser is a sum of exponentials in float, each exact to about 2⁻²². */
    private static final double ROUNDING = 3e-7;

    private static final Sampling EXACT = Sampling.exact(1, 1.0, Set.of());

    @Test
    void topPKeepsTheTokenThatCrosses() throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(SharedData.file("goldens/rl-math.json").toFile())
                .get("top_p");
        double[] weights = new double[golden.get("logits").size()];
        Arrays.setAll(weights, v -> Math.exp(golden.get("logits").get(v).asDouble()));
        golden.get("keep_crossing").properties().forEach(entry -> {
            int[] kept = TokenSampler.kept(weights, weights.length, 0, Double.parseDouble(entry.getKey()));
            int[] expected = IntStream.range(0, entry.getValue().size())
                    .map(i -> entry.getValue().get(i).asInt())
                    .toArray();
            assertThat(Arrays.stream(kept).sorted().toArray())
                    .as("p = %s", entry.getKey())
                    .containsExactly(expected);
        });
    }

    @Test
    void topPCountsTheMassOfTheTopKAlone() {
        double[] weights = {4, 3, 2, 1};
        assertThat(TokenSampler.kept(weights, 4, 0, 0.5)).containsExactly(0, 1);
        assertThat(TokenSampler.kept(weights, 4, 2, 0.57)).containsExactly(0);
        assertThat(TokenSampler.kept(weights, 4, 2, 0.58)).containsExactly(0, 1);
    }

    @Property(tries = 200)
    void topKKeepsTheKMostLikelyAndNoMore(
            @ForAll("logits") float[] logits, @ForAll @IntRange(min = 1, max = 20) int k) {
        double[] weights = new double[logits.length];
        Arrays.setAll(weights, v -> logits[v]);
        int[] kept = TokenSampler.kept(weights, weights.length, k, 1.0);
        assertThat(kept).hasSize(Math.min(k, logits.length)).doesNotHaveDuplicates();
        Set<Integer> members = Set.copyOf(Arrays.stream(kept).boxed().toList());
        double least = Arrays.stream(kept).mapToDouble(v -> weights[v]).min().orElseThrow();
        for (int v = 0; v < weights.length; v++) {
            assertThat(members.contains(v) || weights[v] <= least).isTrue();
        }
    }

    @Property(tries = 100)
    void drawsStayInsideWhatIsKept(@ForAll("logits") float[] logits, @ForAll long seed) {
        Sampling sampling = EXACT.withTopK(3).withTopP(0.8);
        double[] weights = probabilities(logits, 1.0);
        int[] kept = TokenSampler.kept(weights, weights.length, 3, 0.8);
        TokenSampler.Draw draw = new TokenSampler(sampling).draw(logits, RandomKey.of(seed));
        assertThat(kept).contains(draw.token());
    }

    /** log π(token) of the exact policy, however the token was drawn. */
    @Property(tries = 200)
    void theLogProbIsThatOfTheExactPolicyAtTheTemperature(
            @ForAll("logits") float[] logits,
            @ForAll @DoubleRange(min = 0.1, max = 3) double temperature,
            @ForAll @IntRange(max = 4) int topK,
            @ForAll long seed) {
        Sampling sampling = new Sampling(1, temperature, topK, topK == 3 ? 0.5 : 1.0, 1.0, Set.of(), List.of());
        TokenSampler.Draw draw = new TokenSampler(sampling).draw(logits, RandomKey.of(seed));
        double expected = Math.log(probabilities(logits, temperature)[draw.token()]);
        assertThat(draw.logProb()).isCloseTo(expected, within(ROUNDING * Math.max(1, -expected)));
    }

    @Property(tries = 100)
    void temperatureZeroTakesTheMostLikelyAndReportsTemperatureOne(
            @ForAll("logits") float[] logits, @ForAll long seed) {
        TokenSampler.Draw draw = new TokenSampler(Sampling.greedy(1, Set.of())).draw(logits, RandomKey.of(seed));
        int best = 0;
        for (int v = 1; v < logits.length; v++) {
            best = logits[v] > logits[best] ? v : best;
        }
        assertThat(draw.token()).isEqualTo(best);
        assertThat(draw.logProb()).isCloseTo(Math.log(probabilities(logits, 1.0)[best]), within(ROUNDING));
    }

    @Test
    void tiesGoToTheLowestId() {
        float[] logits = {1, 3, 3, 3};
        assertThat(new TokenSampler(Sampling.greedy(1, Set.of()))
                        .draw(logits, RandomKey.of(1))
                        .token())
                .isEqualTo(1);
        assertThat(TokenSampler.kept(new double[] {1, 3, 3, 3}, 4, 2, 1.0)).containsExactly(1, 2);
    }

    /** Pearson's χ² of 20,000 draws; 27.9 is the 0.001 quantile of 9 degrees of freedom. */
    @Test
    void frequenciesMatchTheProbabilities() {
        float[] logits = {0.5f, -1, 2, 0, 1, -2, 0.3f, 1.5f, -0.5f, 0.7f};
        for (double temperature : new double[] {0.7, 1.0, 1.8}) {
            Sampling exact = Sampling.exact(1, temperature, Set.of());
            double[] p = probabilities(logits, temperature);
            assertThat(chiSquare(logits, exact, p, 20_000)).isLessThan(27.9);
            assertThat(chiSquare(logits, exact.withTopK(9).withTopP(1.0), without(p, 5), 20_000))
                    .isLessThan(26.2);
        }
    }

    private static double chiSquare(float[] logits, Sampling sampling, double[] p, int draws) {
        TokenSampler sampler = new TokenSampler(sampling);
        int[] counts = new int[logits.length];
        RandomKey key = RandomKey.of(7);
        for (int i = 0; i < draws; i++) {
            counts[sampler.draw(logits, key.child(i)).token()]++;
        }
        double sum = 0;
        for (int v = 0; v < p.length; v++) {
            if (p[v] == 0) {
                assertThat(counts[v]).isZero();
            } else {
                sum += Math.pow(counts[v] - draws * p[v], 2) / (draws * p[v]);
            }
        }
        return sum;
    }

    private static double[] without(double[] p, int token) {
        double[] rest = p.clone();
        rest[token] = 0;
        double total = Arrays.stream(rest).sum();
        return Arrays.stream(rest).map(x -> x / total).toArray();
    }

    /** Keskar et al. 2019: a positive logit is divided, a negative one multiplied. */
    @Test
    void theRepetitionPenaltyMovesLogitsOfSeenTokensDown() {
        BitSet seen = new BitSet();
        seen.set(0);
        Sampling greedy = Sampling.greedy(1, Set.of()).withRepetitionPenalty(2.0);
        float[] positive = {3, 1.6f, 0};
        float[] negative = {-1, -1.9f, -5};
        assertThat(new TokenSampler(greedy)
                        .draw(positive, seen, RandomKey.of(1))
                        .token())
                .isEqualTo(1);
        assertThat(new TokenSampler(greedy)
                        .draw(negative, seen, RandomKey.of(1))
                        .token())
                .isEqualTo(1);
        assertThat(new TokenSampler(greedy).draw(positive, RandomKey.of(1)).token())
                .isZero();
    }

    /** Penalty, temperature, top-k, top-p: each case comes out differently in any other order of its two operations. */
    @Test
    void theOrderOfOperationsIsHuggingFaces() {
        BitSet seen = new BitSet();
        seen.set(0);
        float[] logits = {3, 2.9f, 2.8f, 0};
        Sampling penaltyBeforeTopK = EXACT.withRepetitionPenalty(2).withTopK(1);
        assertThat(drawn(penaltyBeforeTopK, logits, seen)).containsExactly(1);
        Sampling temperatureBeforeTopP = EXACT.withTemperature(0.01).withTopP(0.9);
        assertThat(drawn(temperatureBeforeTopP, logits, seen)).containsExactly(0);
        assertThat(drawn(EXACT.withTopP(0.9), logits, seen)).containsExactly(0, 1, 2);
        Sampling topKBeforeTopP = EXACT.withTopK(2).withTopP(0.5);
        assertThat(drawn(topKBeforeTopP, logits, seen)).containsExactly(0);
        assertThat(drawn(EXACT.withTopP(0.5), logits, seen)).containsExactly(0, 1);
    }

    private static SortedSet<Integer> drawn(Sampling sampling, float[] logits, BitSet seen) {
        TokenSampler sampler = new TokenSampler(sampling);
        SortedSet<Integer> tokens = new TreeSet<>();
        for (int i = 0; i < 300; i++) {
            tokens.add(sampler.draw(logits, seen, RandomKey.of(11).child(i)).token());
        }
        return tokens;
    }

    @Test
    void theDrawIsTheInverseOfTheCumulativeDistribution() {
        float[] logits = {0, 0, 0, 0};
        for (int i = 0; i < 200; i++) {
            RandomKey key = RandomKey.of(3).child(i);
            assertThat(new TokenSampler(EXACT).draw(logits, key).token()).isEqualTo((int) (4 * key.uniform()));
        }
    }

    @Test
    void hugeDifferencesOfLogitsNeitherOverflowNorDrawTheImpossible() {
        float[] logits = {-3e38f, 3e38f, -3e38f};
        for (Sampling sampling : new Sampling[] {EXACT, EXACT.withTopK(2), EXACT.withTopP(0.9)}) {
            TokenSampler.Draw draw = new TokenSampler(sampling).draw(logits, RandomKey.of(5));
            assertThat(draw).isEqualTo(new TokenSampler.Draw(1, 0.0));
        }
    }

    @Test
    void aLogitThatIsNoNumberIsNamed() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertThatThrownBy(() -> new TokenSampler(EXACT).draw(new float[] {0, 1, bad}, RandomKey.of(1)))
                    .isInstanceOf(DivergenceException.class)
                    .hasMessageContaining("logit of token 2 (vocabulary of 3) is " + bad)
                    .hasMessageContaining("last checkpoint");
        }
    }

    /** However likely the padding, and whatever the truncation; the log-prob is that of the full distribution. */
    @Property(tries = 500)
    void noIdOutsideTheTokenizerIsEverDrawn(
            @ForAll("logits") float[] known,
            @ForAll("logits") float[] padding,
            @ForAll @DoubleRange(min = 0, max = 3e38) double lift,
            @ForAll @DoubleRange(min = 0, max = 2) double temperature,
            @ForAll @IntRange(max = 4) int topK,
            @ForAll @DoubleRange(min = 0.1, max = 1) double topP,
            @ForAll boolean exact,
            @ForAll long seed) {
        float[] logits = Arrays.copyOf(known, known.length + padding.length);
        for (int v = 0; v < padding.length; v++) {
            logits[known.length + v] = (float) (padding[v] + lift);
        }
        Sampling sampling = exact
                ? Sampling.exact(1, temperature, Set.of())
                : new Sampling(1, temperature, topK, topP, 1 + topK, Set.of(), List.of());
        BitSet seen = new BitSet();
        seen.set(0, logits.length, topK % 2 == 0);
        TokenSampler sampler = new TokenSampler(sampling, known.length);
        TokenSampler.Draw draw = sampler.draw(logits, seen, RandomKey.of(seed));
        assertThat(draw.token()).isLessThan(known.length);
        assertThat(draw.token())
                .as("the draw is that of a model without the padding")
                .isEqualTo(new TokenSampler(sampling)
                        .draw(known, seen, RandomKey.of(seed))
                        .token());
        if (lift < 20 && temperature > 0.1) {
            double expected = Math.log(probabilities(logits, temperature)[draw.token()]);
            assertThat(draw.logProb()).isCloseTo(expected, within(ROUNDING * Math.max(1, -expected)));
        }
    }

    /** The padding's mass goes to the others in proportion: χ², the 0.001 quantile of 2 degrees of freedom. */
    @Test
    void withoutThePaddingTheOthersKeepTheirProportions() {
        float[] logits = {0.5f, -1, 2, 1, 4};
        TokenSampler sampler = new TokenSampler(EXACT, 3);
        double[] p = without(without(probabilities(logits, 1), 3), 4);
        int[] counts = new int[3];
        int draws = 20_000;
        for (int i = 0; i < draws; i++) {
            counts[sampler.draw(logits, RandomKey.of(9).child(i)).token()]++;
        }
        double sum = 0;
        for (int v = 0; v < 3; v++) {
            sum += Math.pow(counts[v] - draws * p[v], 2) / (draws * p[v]);
        }
        assertThat(sum).isLessThan(13.8);
    }

    @Provide
    static Arbitrary<float[]> logits() {
        return Arbitraries.floats()
                .between(-12, 12)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(30);
    }

    private static double[] probabilities(float[] logits, double temperature) {
        double[] p = new double[logits.length];
        double max =
                IntStream.range(0, p.length).mapToDouble(v -> logits[v]).max().orElseThrow();
        Arrays.setAll(p, v -> Math.exp((logits[v] - max) / temperature));
        double total = Arrays.stream(p).sum();
        return Arrays.stream(p).map(x -> x / total).toArray();
    }
}
