package io.github.rlhf4j.reward.math;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.testkit.GradientCheck;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.DoubleRange;

/** Statements that hold for each ranking loss, or relate one to another. */
class RankingLossPropertiesTest {

    private static final Map<Class<? extends RankingLoss>, List<RankingLoss>> CASES = Map.of(
            AllPairsLoss.class,
            List.of(
                    AllPairsLoss.DEFAULT,
                    AllPairsLoss.DEFAULT.withMargin(0.7),
                    AllPairsLoss.DEFAULT.withLabelNoise(0.1),
                    AllPairsLoss.DEFAULT.withCentering(0.01),
                    new AllPairsLoss(0.3, 0.05, 0.2)),
            PlackettLuceLoss.class,
            List.of(new PlackettLuceLoss()),
            BestOfKLoss.class,
            List.of(new BestOfKLoss()));

    /** Scores and ranks of one ranking that says something. */
    record Case(double[] scores, int[] ranks) {
        @Override
        public String toString() {
            return Arrays.toString(scores) + " ranked " + Arrays.toString(ranks);
        }
    }

    @Provide
    Arbitrary<Case> rankings() {
        return Arbitraries.integers().between(2, 6).flatMap(k -> Combinators.combine(
                        Arbitraries.doubles()
                                .between(-4, 4)
                                .array(double[].class)
                                .ofSize(k),
                        Arbitraries.integers()
                                .between(0, k - 1)
                                .array(int[].class)
                                .ofSize(k))
                .as(Case::new)
                .filter(c -> Arrays.stream(c.ranks()).distinct().count() > 1));
    }

    @Provide
    Arbitrary<RankingLoss> losses() {
        return Arbitraries.of(CASES.values().stream().flatMap(List::stream).toList());
    }

    @Example
    void everyLossHasAGradientTest() {
        Set<Class<?>> losses = Set.of(RankingLoss.class.getPermittedSubclasses());
        assertThat(CASES.keySet().stream().map(c -> (Class<?>) c).collect(Collectors.toSet()))
                .as("losses whose gradient is tested; add yours to CASES")
                .isEqualTo(losses);
    }

    @Property(tries = 500)
    void gradientIsTheCentralDifference(@ForAll("losses") RankingLoss loss, @ForAll("rankings") Case ranking) {
        GradientCheck.STANDARD.check(
                loss.toString(),
                ranking.scores(),
                scores -> loss.of(scores, ranking.ranks()).loss(),
                loss.of(ranking.scores(), ranking.ranks()).gradient());
    }

    /** The zero of a score means nothing, unless centering asks for one. */
    @Property(tries = 200)
    void shiftOfAllScoresChangesNothing(
            @ForAll("losses") RankingLoss loss,
            @ForAll("rankings") Case ranking,
            @ForAll @DoubleRange(min = -50, max = 50) double shift) {
        double[] shifted = Arrays.stream(ranking.scores()).map(s -> s + shift).toArray();
        double before = loss.of(ranking.scores(), ranking.ranks()).loss();
        double after = loss.of(shifted, ranking.ranks()).loss();
        if (loss instanceof AllPairsLoss pairs && pairs.centering() > 0) {
            AllPairsLoss free = pairs.withCentering(0);
            assertThat(after - before)
                    .isCloseTo(
                            centeringTerm(pairs, shifted, ranking) - centeringTerm(pairs, ranking.scores(), ranking),
                            within(1e-8));
            assertThat(free.of(shifted, ranking.ranks()).loss())
                    .isCloseTo(free.of(ranking.scores(), ranking.ranks()).loss(), within(1e-10));
        } else {
            assertThat(after).isCloseTo(before, within(1e-10));
            assertThat(Arrays.stream(loss.of(ranking.scores(), ranking.ranks()).gradient())
                            .sum())
                    .isCloseTo(0, within(1e-12));
        }
    }

    private static double centeringTerm(AllPairsLoss loss, double[] scores, Case ranking) {
        double sum = 0;
        int pairs = 0;
        for (int i = 0; i < scores.length; i++) {
            for (int j = 0; j < i; j++) {
                if (ranking.ranks()[i] != ranking.ranks()[j]) {
                    sum += Math.pow(scores[i] + scores[j], 2);
                    pairs++;
                }
            }
        }
        return loss.centering() * sum / pairs;
    }

    /** Bradley–Terry is what each likelihood becomes for two responses. */
    @Property(tries = 200)
    void twoResponsesAreBradleyTerry(
            @ForAll @DoubleRange(min = -30, max = 30) double winner,
            @ForAll @DoubleRange(min = -30, max = 30) double loser) {
        double bradleyTerry = Math.log1p(Math.exp(loser - winner));
        for (RankingLoss loss : List.of(AllPairsLoss.DEFAULT, new PlackettLuceLoss(), new BestOfKLoss())) {
            RankingTerm term = loss.of(new double[] {winner, loser}, new int[] {0, 1});
            assertThat(term.loss()).as("%s", loss).isCloseTo(bradleyTerry, within(1e-9));
            assertThat(term.gradient()[0]).isCloseTo(-1 / (1 + Math.exp(winner - loser)), within(1e-12));
        }
    }

    /** The likelihoods of both answers to a comparison add up to 1, with and without label noise. */
    @Property(tries = 200)
    void bothAnswersExhaustTheProbability(
            @ForAll @DoubleRange(min = -30, max = 30) double lead,
            @ForAll @DoubleRange(min = 0, max = 0.9) double noise) {
        AllPairsLoss loss = AllPairsLoss.DEFAULT.withLabelNoise(noise);
        double first = loss.of(new double[] {lead, 0}, new int[] {0, 1}).loss();
        double second = loss.of(new double[] {lead, 0}, new int[] {1, 0}).loss();
        assertThat(Math.exp(-first) + Math.exp(-second)).isCloseTo(1, within(1e-12));
    }

    @Property(tries = 200)
    void orderOfTheResponsesDoesNotMatter(@ForAll("losses") RankingLoss loss, @ForAll("rankings") Case ranking) {
        int k = ranking.scores().length;
        double[] scores = new double[k];
        int[] ranks = new int[k];
        for (int i = 0; i < k; i++) {
            scores[i] = ranking.scores()[k - 1 - i];
            ranks[i] = ranking.ranks()[k - 1 - i];
        }
        assertThat(loss.of(scores, ranks).loss())
                .isCloseTo(loss.of(ranking.scores(), ranking.ranks()).loss(), within(1e-12));
    }

    /** Only the order of the ranks counts, not their numbers. */
    @Property(tries = 100)
    void ranksWithGapsMeanTheSame(@ForAll("losses") RankingLoss loss, @ForAll("rankings") Case ranking) {
        int[] spread = Arrays.stream(ranking.ranks()).map(r -> 3 * r + 2).toArray();
        assertThat(loss.of(ranking.scores(), spread).loss())
                .isEqualTo(loss.of(ranking.scores(), ranking.ranks()).loss());
    }

    @Property(tries = 100)
    void extremeScoresStayFinite(
            @ForAll("losses") RankingLoss loss, @ForAll @DoubleRange(min = -1e6, max = 1e6) double lead) {
        RankingTerm term = loss.of(new double[] {lead, -lead, 0}, new int[] {0, 2, 1});
        assertThat(term.loss()).isFinite();
        assertThat(term.gradient()).doesNotContain(Double.NaN);
    }

    @Example
    void equalScoresCountHalfAndTiesDoNotCount() {
        RankingResult result =
                RankingLoss.instructGpt().evaluate(new double[][] {{1, 1, 5}, {2, 0}}, new int[][] {{0, 1, 1}, {0, 1}});
        assertThat(result.comparisons()).isEqualTo(3);
        assertThat(result.accuracy()).isCloseTo((0.5 + 0 + 1) / 3, within(1e-15));
        assertThat(result.margin()).isCloseTo((0 - 4 + 2) / 3.0, within(1e-15));
    }

    /** A ranking of nine has 36 pairs and weighs as much as one with a single pair. */
    @Property(tries = 100)
    void eachRankingWeighsTheSame(
            @ForAll("losses") RankingLoss loss, @ForAll("rankings") Case a, @ForAll("rankings") Case b) {
        RankingResult both = loss.evaluate(new double[][] {a.scores(), b.scores()}, new int[][] {a.ranks(), b.ranks()});
        double expected = (loss.of(a.scores(), a.ranks()).loss()
                        + loss.of(b.scores(), b.ranks()).loss())
                / 2;
        assertThat(both.loss()).isCloseTo(expected, within(1e-12));
        assertThat(both.gradient()[1]).isEqualTo(loss.of(b.scores(), b.ranks()).scaledGradient(0.5));
    }

    @Example
    void allTiedIsRefused() {
        CASES.values().stream().flatMap(List::stream).forEach(loss -> assertThatThrownBy(
                        () -> loss.of(new double[] {1, 2}, new int[] {0, 0}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("all 2 responses of a ranking tie")
                .hasMessageContaining("leave it out"));
    }

    @Example
    void impossibleOptionsAreRefused() {
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.withLabelNoise(1))
                .hasMessageContaining("labelNoise must lie in [0, 1)")
                .hasMessageContaining("got 1.0");
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.withMargin(Double.NaN)).hasMessageContaining("margin");
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.withCentering(-1)).hasMessageContaining("centering");
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.of(new double[] {1}, new int[] {0, 1}))
                .hasMessageContaining("2 ranks but 1 scores");
        assertThatThrownBy(() -> AllPairsLoss.DEFAULT.evaluate(new double[0][], new int[0][]))
                .hasMessageContaining("at least one ranking");
    }
}
