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
import java.util.Comparator;
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

    /**
     * What a log-prob may be off by: its normaliser is a sum of exponentials in float, each exact to about 2⁻²² = 2.4e-7, and
     * lanes of up to 64 of them are added up in float, some roundings of 2⁻²⁴ more (4.0e-7 was seen).
     */
    private static final double ROUNDING = 1e-6;

    private static final Sampling EXACT = Sampling.exact(1, 1.0, Set.of());

    // Which tokens are kept, against plain methods that sort everything

    @Test
    void topPKeepsTheTokenThatCrosses() throws IOException {
        JsonNode golden = new ObjectMapper()
                .readTree(SharedData.file("goldens/rl-math.json").toFile())
                .get("top_p");
        float[] logits = new float[golden.get("logits").size()];
        for (int v = 0; v < logits.length; v++) {
            logits[v] = (float) golden.get("logits").get(v).asDouble();
        }
        golden.get("keep_crossing").properties().forEach(entry -> {
            int[] expected = IntStream.range(0, entry.getValue().size())
                    .map(i -> entry.getValue().get(i).asInt())
                    .toArray();
            double p = Math.max(Double.MIN_NORMAL, Double.parseDouble(entry.getKey())); // a Sampling takes no 0
            assertThat(kept(logits, 0, p)).as("p = %s", entry.getKey()).containsExactlyInAnyOrder(expected);
        });
    }

    private static int[] kept(float[] logits, int topK, double topP) {
        return new TokenSampler(EXACT.withTopK(topK).withTopP(topP)).kept(logits, weights(logits));
    }

    private static TokenWeights weights(float[] logits) {
        float max = logits[0];
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        TokenWeights weights = new TokenWeights();
        weights.fill(logits, logits.length, max, 1.0);
        return weights;
    }

    private static Comparator<Integer> likeliestFirst(float[] weights) {
        return Comparator.<Integer>comparingDouble(v -> -weights[v]).thenComparing(v -> v);
    }

    /** Rows of several blocks; with few levels most of their logits are equal to others. */
    private static float[] row(long seed, int size, int levels) {
        RandomKey key = RandomKey.of(seed);
        float[] logits = new float[size];
        for (int v = 0; v < size; v++) {
            logits[v] = (float) Math.rint(levels * key.child(v).gaussian()) * 3 / levels + 0f; // no −0
        }
        return logits;
    }

    @Test
    void topPCountsTheMassOfTheTopKAlone() {
        float[] logits = {(float) Math.log(4), (float) Math.log(3), (float) Math.log(2), 0};
        assertThat(kept(logits, 0, 0.5)).containsExactlyInAnyOrder(0, 1);
        assertThat(kept(logits, 2, 0.57)).containsExactly(0);
        assertThat(kept(logits, 2, 0.58)).containsExactly(0, 1);
    }

    @Property(tries = 200)
    void topKKeepsTheKMostLikelyTheFirstOfEqualOnes(
            @ForAll long seed,
            @ForAll @IntRange(min = 2, max = 5000) int size,
            @ForAll @IntRange(min = 1, max = 1000) int levels,
            @ForAll @IntRange(min = 1, max = 100) int k) {
        float[] logits = row(seed, size, levels);
        int[] expected = IntStream.range(0, size)
                .boxed()
                .sorted(likeliestFirst(logits))
                .limit(Math.min(k, size))
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(TopTokens.of(logits, size, Math.min(k, size))).containsExactly(expected);
    }

    /** A prefix of the descending order, and the shortest whose mass reaches p, up to rounding of p. */
    @Property(tries = 200)
    void topPKeepsTheFewestMostLikelyWhoseMassReachesP(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 5000) int size,
            @ForAll @IntRange(min = 1, max = 1000) int levels,
            @ForAll @DoubleRange(min = 0.01, max = 0.99) double p) {
        TokenWeights weights = weights(row(seed, size, levels));
        int[] kept = new Nucleus().of(weights, p);
        int[] descending = IntStream.range(0, size)
                .boxed()
                .sorted(likeliestFirst(weights.array()))
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(kept).containsExactlyInAnyOrder(Arrays.copyOf(descending, kept.length));
        double total = mass(weights, descending, size);
        assertThat(mass(weights, descending, kept.length)).isGreaterThan((p - 1e-6) * total);
        assertThat(mass(weights, descending, kept.length - 1)).isLessThan((p + 1e-6) * total);
    }

    private static double mass(TokenWeights weights, int[] tokens, int count) {
        return Arrays.stream(tokens, 0, count).mapToDouble(weights::get).sum();
    }

    @Test
    void aNucleusForgetsTheRowBefore() {
        Nucleus nucleus = new Nucleus();
        int[] alone = new Nucleus().of(weights(row(2, 3000, 1000)), 0.7);
        nucleus.of(weights(row(1, 4000, 1000)), 0.9);
        assertThat(nucleus.of(weights(row(2, 3000, 1000)), 0.7)).containsExactly(alone);
    }

    @Property(tries = 100)
    void drawsStayInsideWhatIsKept(@ForAll("logits") float[] logits, @ForAll long seed) {
        Sampling sampling = EXACT.withTopK(3).withTopP(0.8);
        int[] descending = IntStream.range(0, logits.length)
                .boxed()
                .sorted(likeliestFirst(logits))
                .limit(3)
                .mapToInt(Integer::intValue)
                .toArray();
        assertThat(new TokenSampler(sampling).draw(logits, RandomKey.of(seed)).token())
                .isIn(Arrays.stream(descending).boxed().toList());
    }

    /** The plain method: exponentials and their running sum in double, token by token. */
    @Property(tries = 200)
    void theDrawInvertsTheCumulativeDistributionOfRowsOfAnyLength(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 5000) int size,
            @ForAll @DoubleRange(min = 0.1, max = 3) double temperature) {
        float[] logits = row(seed, size, 1000);
        RandomKey key = RandomKey.of(seed).child("draw");
        int token = new TokenSampler(Sampling.exact(1, temperature, Set.of()))
                .draw(logits, key)
                .token();
        double[] p = probabilities(logits, temperature);
        double below = Arrays.stream(p, 0, token).sum();
        assertThat(key.uniform()).isBetween(below - 1e-6, below + p[token] + 1e-6);
    }

    /** The ends of the distribution, and the seams of its blocks. */
    @Test
    void everyPlaceOfTheDistributionHasAToken() {
        float[] logits = new float[2500];
        TokenWeights weights = weights(logits);
        assertThat(weights.at(0)).isZero();
        assertThat(weights.at(Math.nextDown(1.0))).isEqualTo(2499);
        for (int v : new int[] {1, 1023, 1024, 1025, 2047, 2048, 2499}) {
            assertThat(weights.at((v - 0.5) / 2500)).isEqualTo(v - 1);
            assertThat(weights.at((v + 0.5) / 2500)).isEqualTo(v);
        }
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
        int best = argmax(logits);
        assertThat(draw.token()).isEqualTo(best);
        assertThat(draw.logProb()).isCloseTo(Math.log(probabilities(logits, 1.0)[best]), within(ROUNDING));
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int v = 1; v < logits.length; v++) {
            best = logits[v] > logits[best] ? v : best;
        }
        return best;
    }

    @Property(tries = 100)
    void temperatureZeroTakesTheFirstOfTheLargestInRowsOfAnyLength(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 5000) int size,
            @ForAll @IntRange(min = 1, max = 1000) int levels) {
        float[] logits = row(seed, size, levels);
        assertThat(new TokenSampler(Sampling.greedy(1, Set.of()))
                        .draw(logits, RandomKey.of(seed))
                        .token())
                .isEqualTo(argmax(logits));
    }

    @Test
    void tiesGoToTheLowestId() {
        float[] logits = {1, 3, 3, 3};
        assertThat(new TokenSampler(Sampling.greedy(1, Set.of()))
                        .draw(logits, RandomKey.of(1))
                        .token())
                .isEqualTo(1);
        assertThat(kept(logits, 2, 1.0)).containsExactly(1, 2);
        assertThat(kept(logits, 0, 0.5)).containsExactlyInAnyOrder(1, 2);
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
            float[] late = new float[3000];
            late[2999] = bad;
            assertThatThrownBy(() -> new TokenSampler(EXACT).draw(late, RandomKey.of(1)))
                    .hasMessageContaining("logit of token 2999 (vocabulary of 3000) is " + bad);
        }
    }

    @Test
    void logitsWhoseSumOverflowsAreStillFinite() {
        float[] logits = {3e38f, 3e38f, 3e38f, 3e38f};
        RandomKey key = RandomKey.of(3);
        assertThat(new TokenSampler(EXACT).draw(logits, key).token()).isEqualTo((int) (4 * key.uniform()));
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
