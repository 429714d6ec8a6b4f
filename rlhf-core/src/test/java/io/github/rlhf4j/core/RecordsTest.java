package io.github.rlhf4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** The domain records refuse what has no meaning, and say so. */
class RecordsTest {

    private static final TokenSequence ABC = TokenSequence.of(1, 2, 3);

    @Test
    void tokenSequencesAreImmutableValues() {
        int[] ids = {4, 5, 6, 7};
        TokenSequence sequence = TokenSequence.of(ids);
        ids[0] = 9;
        sequence.toArray()[1] = 9;
        assertThat(sequence).isEqualTo(TokenSequence.of(4, 5, 6, 7)).hasToString("[4, 5, 6, 7]");
        assertThat(sequence.slice(1, 3)).isEqualTo(TokenSequence.of(5, 6));
        assertThat(sequence.slice(1, 1).isEmpty()).isTrue();
        assertThat(ABC.concat(TokenSequence.of(4))).isEqualTo(TokenSequence.of(1, 2, 3, 4));
        assertThatThrownBy(() -> sequence.slice(3, 5)).hasMessageContainingAll("[3, 5)", "4 tokens");
        assertThatThrownBy(() -> TokenSequence.of(1, -2))
                .hasMessageContainingAll("token id -2 at index 1", "start at 0", "encoded with the tokenizer");
    }

    @Test
    void aPromptAndItsResponseAreScoredOnTheResponse() {
        ScoredSequence sequence = ScoredSequence.of(ABC, TokenSequence.of(7, 8));
        assertThat(sequence.positions()).containsExactly(3, 4);
        assertThat(sequence.tokens()).isEqualTo(TokenSequence.of(1, 2, 3, 7, 8));
        assertThat(ScoredSequence.ofText(ABC).positions()).containsExactly(1, 2);
        assertThat(ScoredSequence.ofText(TokenSequence.of(5)).scoredCount()).isZero();
        assertThat(ScoredSequence.ofText(TokenSequence.empty()).length()).isZero();
    }

    @Test
    void scoredPositionsMustAscendAfterTheFirstToken() {
        assertThatThrownBy(() -> ScoredSequence.of(ABC, new int[] {0}))
                .hasMessageContainingAll("within [1, 3), got 0", "start token");
        assertThatThrownBy(() -> ScoredSequence.of(ABC, new int[] {3})).hasMessageContaining("got 3");
        assertThatThrownBy(() -> ScoredSequence.of(ABC, new int[] {2, 2})).hasMessageContaining("got 2 after 2");
        assertThatThrownBy(() -> ScoredSequence.of(ABC, new int[] {2, 1})).hasMessageContaining("got 1 after 2");
        assertThatThrownBy(() -> ScoredSequence.of(TokenSequence.empty(), ABC))
                .hasMessageContainingAll("the prompt is empty", "begin the prompt with a start token");
    }

    @Test
    void aBatchNeedsSequencesAndATemperature() {
        ScoredSequence sequence = ScoredSequence.of(ABC, TokenSequence.of(7, 8));
        ScoredSequence text = ScoredSequence.ofText(ABC);
        SequenceBatch batch = new SequenceBatch(List.of(sequence, text));
        assertThat(batch.tokenCount()).isEqualTo(8);
        assertThat(batch.scoredCount()).isEqualTo(4);
        assertThat(batch.select(1, 0, 1).sequences()).containsExactly(text, sequence, text);
        assertThatThrownBy(() -> new SequenceBatch(List.of())).hasMessageContaining("at least one sequence");
        for (double temperature : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> new SequenceBatch(List.of(text), temperature))
                    .hasMessageContainingAll("positive and finite", "got " + temperature);
        }
    }

    @Test
    void rowsMustFitTheirBatch() {
        SequenceBatch batch =
                new SequenceBatch(List.of(ScoredSequence.of(ABC, TokenSequence.of(7)), ScoredSequence.ofText(ABC)));
        batch.checkShape("advantages", new double[][] {{1}, {1, 2}});
        assertThatThrownBy(() -> batch.checkShape("advantages", new double[][] {{1}}))
                .hasMessageContaining("advantages has 1 rows for a batch of 2");
        assertThatThrownBy(() -> batch.checkShape("advantages", new double[][] {{1}, {1}}))
                .hasMessageContaining("advantages row 1 has 1 entries; sequence 1 has 2 scored tokens");
    }

    @Test
    void samplingRefusesWhatIsNoDistribution() {
        Sampling exact = Sampling.exact(8, 0.7, Set.of(0));
        assertThat(exact.isExact()).isTrue();
        assertThat(exact.withTopK(5).isExact()).isFalse();
        assertThat(exact.withTopP(0.9).isExact()).isFalse();
        assertThat(exact.withRepetitionPenalty(1.1).isExact()).isFalse();
        assertThat(Sampling.greedy(8, Set.of()).isExact()).isFalse();
        assertThatThrownBy(() -> exact.withMaxNewTokens(0))
                .hasMessageContaining("maxNewTokens must be at least 1, got 0");
        assertThatThrownBy(() -> exact.withTemperature(-0.1)).hasMessageContainingAll("temperature", "≥ 0", "got -0.1");
        assertThatThrownBy(() -> exact.withTemperature(Double.NaN)).hasMessageContaining("got NaN");
        assertThatThrownBy(() -> exact.withTopK(-1)).hasMessageContainingAll("topK", "0 keeps all", "got -1");
        assertThatThrownBy(() -> exact.withTopP(0)).hasMessageContainingAll("topP", "(0, 1]", "got 0.0");
        assertThatThrownBy(() -> exact.withTopP(1.1)).hasMessageContaining("got 1.1");
        assertThatThrownBy(() -> exact.withRepetitionPenalty(0.9)).hasMessageContaining("got 0.9");
        assertThatThrownBy(() -> exact.withStopStrings("a", "")).hasMessageContaining("must not be empty");
    }

    @Test
    void aRankingIsAtLeastAPair() {
        Conversation prompt = Conversation.of("q");
        Ranking pair = Ranking.ofPair(prompt, "good", "bad");
        assertThat(pair.prefers(0, 1)).isTrue();
        assertThat(pair.pairCount()).isEqualTo(1);
        assertThat(pair.exchange(1)).isEqualTo(Exchange.of("q", "bad"));
        assertThatThrownBy(() -> new Ranking(prompt, List.of("a"), List.of(0)))
                .hasMessageContainingAll("at least two responses", "1 responses and 1 ranks");
        assertThatThrownBy(() -> new Ranking(prompt, List.of("a", "b"), List.of(0)))
                .hasMessageContaining("2 responses and 1 ranks");
        assertThatThrownBy(() -> new Ranking(prompt, List.of("a", "b"), List.of(0, -1)))
                .hasMessageContainingAll("start at 0", "[0, -1]");
    }

    /** K responses without ties make K(K − 1)/2 pairs; each tie takes one away. */
    @Property(tries = 200)
    void tiesDoNotCountAsPairs(@ForAll @Size(min = 2, max = 9) List<@IntRange(max = 5) Integer> ranks) {
        Ranking ranking = new Ranking(
                Conversation.of("q"), ranks.stream().map(String::valueOf).toList(), ranks);
        int ties = 0;
        for (int i = 0; i < ranks.size(); i++) {
            for (int j = 0; j < i; j++) {
                ties += ranks.get(i).equals(ranks.get(j)) ? 1 : 0;
                assertThat(ranking.prefers(i, j) && ranking.prefers(j, i)).isFalse();
            }
        }
        assertThat(ranking.pairCount()).isEqualTo(ranks.size() * (ranks.size() - 1) / 2 - ties);
    }

    @Test
    void conversationsKeepTheirOrder() {
        Conversation conversation =
                Conversation.of("a").with(Message.assistant("b")).with(Message.user("c"));
        assertThat(conversation.lastUserText()).isEqualTo("c");
        assertThat(conversation.with(Message.assistant("d")).lastUserText()).isEqualTo("c");
        assertThatThrownBy(() -> new Conversation(List.of())).hasMessageContaining("at least one message");
        assertThatThrownBy(() -> new Conversation(List.of(Message.system("s"))).lastUserText())
                .hasMessageContaining("no user message");
        assertThatThrownBy(() -> new Demonstration(conversation)).hasMessageContainingAll("ends with", "user");
    }

    @Test
    void theLastExchangeOfADemonstrationIsItsLastTurnAndWhatCameBefore() {
        Conversation before = Conversation.of("a").with(Message.assistant("b")).with(Message.user("c"));
        assertThat(new Demonstration(before.with(Message.assistant("d"))).lastExchange())
                .isEqualTo(new Exchange(before, "d"));
        Demonstration alone = new Demonstration(new Conversation(List.of(Message.assistant("d"))));
        assertThatThrownBy(alone::lastExchange).hasMessageContaining("needs a user message first");
    }

    @Test
    void aCompletionHasALogProbPerToken() {
        assertThatThrownBy(
                        () -> new Completion(ABC, TokenSequence.of(1), new double[2], Completion.StopReason.STOP_TOKEN))
                .hasMessageContaining("3, 1 and 2");
        Completion cut = new Completion(ABC, TokenSequence.of(1), new double[1], Completion.StopReason.LENGTH);
        assertThat(cut.stopped()).isFalse();
        assertThat(cut.toScoredSequence().positions()).containsExactly(3);
    }

    @Test
    void aPreferenceDatasetIsWalkedFromItsFirstRankingToItsLast() {
        Ranking first = Ranking.ofPair(Conversation.of("1"), "a", "b");
        Ranking second = Ranking.ofPair(Conversation.of("2"), "a", "b");
        PreferenceDataset dataset = PreferenceDataset.of(List.of(first, second));
        assertThat(dataset).containsExactly(first, second);
        assertThat(dataset).as("a second walk").containsExactly(first, second);
        var walk = dataset.iterator();
        walk.next();
        walk.next();
        assertThatThrownBy(walk::next)
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("2 rankings");
    }
}
