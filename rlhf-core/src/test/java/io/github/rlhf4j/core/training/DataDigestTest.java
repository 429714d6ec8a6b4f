package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Equal data, equal digest; whatever a trainer sees of the data changes it. */
class DataDigestTest {

    @Test
    void everyPartOfARankingCounts() {
        Conversation prompt = Conversation.of("a");
        List<List<Ranking>> different = List.of(
                List.of(),
                List.of(Ranking.ofPair(prompt, "b", "c")),
                List.of(Ranking.ofPair(prompt, "c", "b")),
                List.of(Ranking.ofPair(prompt, "bc", "")),
                List.of(Ranking.ofPair(Conversation.of("d"), "b", "c")),
                List.of(new Ranking(prompt, List.of("b", "c"), List.of(1, 0))),
                List.of(Ranking.ofPair(prompt, "b", "c"), Ranking.ofPair(prompt, "b", "d")),
                List.of(Ranking.ofPair(prompt, "b", "d"), Ranking.ofPair(prompt, "b", "c")));
        assertThat(different.stream().map(DataDigest::ofRankings)).doesNotHaveDuplicates();
        assertThat(DataDigest.ofRankings(List.of(Ranking.ofPair(prompt, "b", "c"))))
                .isEqualTo(DataDigest.ofRankings(different.get(1)))
                .hasSize(64);
    }

    @Test
    void aPromptsTextAndItsTokensCount() {
        Stream<Prompt> different = Stream.of(
                new Prompt(Conversation.of("a"), TokenSequence.of(1, 2)),
                new Prompt(Conversation.of("b"), TokenSequence.of(1, 2)),
                new Prompt(Conversation.of("a"), TokenSequence.of(1, 3)));
        assertThat(different.map(prompt -> DataDigest.ofPrompts(List.of(prompt))))
                .doesNotHaveDuplicates();
    }

    @Test
    void aSequencesTokensAndScoredPositionsCount() {
        TokenSequence tokens = TokenSequence.of(1, 2, 3);
        Stream<ScoredSequence> different = Stream.of(
                ScoredSequence.ofText(tokens),
                ScoredSequence.of(tokens, new int[] {2}),
                ScoredSequence.ofText(TokenSequence.of(1, 2, 4)));
        assertThat(different.map(sequence -> DataDigest.ofSequences(List.of(sequence))))
                .doesNotHaveDuplicates();
    }
}
