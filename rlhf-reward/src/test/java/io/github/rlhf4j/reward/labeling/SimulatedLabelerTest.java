package io.github.rlhf4j.reward.labeling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.reward.RewardModels;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A labeler errs as often as it says, and answers the same question the same way. */
class SimulatedLabelerTest {

    private static final RewardModel LENGTH = RewardModels.of(e -> e.response().length());
    private static final int QUESTIONS = 10_000;

    private static SimulatedLabeler labeler(LabelNoise noise) {
        return new SimulatedLabeler(LENGTH, noise, SimulatedLabeler.Ties.REPORTED, 7);
    }

    private static double errorRate(SimulatedLabeler labeler, String better, String worse) {
        return IntStream.range(0, QUESTIONS)
                        .mapToObj(q -> labeler.compare(Conversation.of("question " + q), better, worse))
                        .filter(ranking -> ranking.prefers(1, 0))
                        .count()
                / (double) QUESTIONS;
    }

    @Test
    void withoutNoiseTheTasteDecides() {
        Ranking ranking = labeler(new LabelNoise.None()).rank(Conversation.of("?"), List.of("ccc", "a", "dddd", "bbb"));
        assertThat(ranking.ranks()).containsExactly(1, 2, 0, 1);
    }

    /** One answer in ten is uniform: half of those are right by luck. */
    @Test
    void christianosLabelerIsWrongInOneAnswerOfTwenty() {
        SimulatedLabeler labeler = SimulatedLabeler.christiano(e -> e.response().length(), 7);
        assertThat(errorRate(labeler, "long", "s")).isCloseTo(0.05, within(0.01));
    }

    @Test
    void flipsAreWrongAsOftenAsTheySay() {
        assertThat(errorRate(labeler(new LabelNoise.Flip(0.1)), "long", "s")).isCloseTo(0.1, within(0.01));
    }

    @Test
    void bradleyTerryErrsByTheLogisticOfTheLead() {
        double expected = 1 / (1 + Math.exp(3 / 2.0));
        assertThat(errorRate(labeler(new LabelNoise.BradleyTerry(2)), "long", "s"))
                .isCloseTo(expected, within(0.015));
    }

    /** The first place of a Plackett–Luce order is a softmax. */
    @Test
    void bradleyTerryOrdersArePlackettLuce() {
        SimulatedLabeler labeler = labeler(new LabelNoise.BradleyTerry(1));
        long longestFirst = IntStream.range(0, QUESTIONS)
                .mapToObj(q -> labeler.rank(Conversation.of("question " + q), List.of("a", "bb", "ccc")))
                .filter(ranking -> ranking.ranks().get(2) == 0)
                .count();
        double softmax = Math.exp(3) / (Math.exp(1) + Math.exp(2) + Math.exp(3));
        assertThat(longestFirst / (double) QUESTIONS).isCloseTo(softmax, within(0.015));
    }

    @Test
    void uniformAnswersAreUniformOverOrders() {
        SimulatedLabeler labeler = labeler(new LabelNoise.UniformAnswer(1));
        Map<List<Integer>, Integer> counts = new HashMap<>();
        for (int q = 0; q < QUESTIONS; q++) {
            counts.merge(
                    labeler.rank(Conversation.of("question " + q), List.of("a", "bb", "ccc"))
                            .ranks(),
                    1,
                    Integer::sum);
        }
        assertThat(counts).hasSize(6);
        assertThat(counts.values()).allSatisfy(count -> assertThat(count).isBetween(1500, 1833));
    }

    @Test
    void theAnswerDoesNotDependOnThePresentation() {
        SimulatedLabeler labeler = labeler(new LabelNoise.UniformAnswer(0.5));
        for (int q = 0; q < 200; q++) {
            Conversation question = Conversation.of("question " + q);
            boolean preferred = labeler.compare(question, "long", "s").prefers(0, 1);
            assertThat(labeler.compare(question, "s", "long").prefers(1, 0)).isEqualTo(preferred);
            assertThat(labeler.rankAll(
                                    List.of(Conversation.of("another"), question),
                                    List.of(List.of("x", "yy"), List.of("long", "s")))
                            .get(1)
                            .prefers(0, 1))
                    .isEqualTo(preferred);
        }
    }

    @Test
    void labelersOfDifferentSeedsErrDifferently() {
        LabelNoise noise = new LabelNoise.UniformAnswer(1);
        SimulatedLabeler one = new SimulatedLabeler(LENGTH, noise, SimulatedLabeler.Ties.REPORTED, 1);
        SimulatedLabeler other = new SimulatedLabeler(LENGTH, noise, SimulatedLabeler.Ties.REPORTED, 2);
        long same = IntStream.range(0, 1000)
                .mapToObj(q -> Conversation.of("question " + q))
                .filter(q -> one.compare(q, "a", "b").equals(other.compare(q, "a", "b")))
                .count();
        assertThat(same).isBetween(430L, 570L);
    }

    @Test
    void tiesAreReportedOrBrokenFairly() {
        assertThat(labeler(new LabelNoise.None())
                        .compare(Conversation.of("?"), "a", "b")
                        .pairCount())
                .isZero();
        SimulatedLabeler decided =
                new SimulatedLabeler(LENGTH, new LabelNoise.None(), SimulatedLabeler.Ties.BROKEN_AT_RANDOM, 7);
        assertThat(errorRate(decided, "a", "b")).isCloseTo(0.5, within(0.02));
        assertThat(decided.rank(Conversation.of("?"), List.of("a", "bb", "c")).ranks())
                .containsExactlyInAnyOrder(0, 1, 2)
                .element(1)
                .isEqualTo(0);
    }

    @Test
    void aTasteThatIsNoNumberIsNamed() {
        SimulatedLabeler labeler = SimulatedLabeler.christiano(e -> Double.NaN, 1);
        assertThatThrownBy(() -> labeler.compare(Conversation.of("why?"), "because", "so"))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("exchange 0 of 2 as NaN")
                .hasMessageContaining("Prompt \"why?\", response \"because\"");
        assertThatThrownBy(() -> new LabelNoise.Flip(1.5)).hasMessageContaining("[0, 1], got 1.5");
        assertThatThrownBy(() -> new LabelNoise.BradleyTerry(0)).hasMessageContaining("temperature");
    }
}
