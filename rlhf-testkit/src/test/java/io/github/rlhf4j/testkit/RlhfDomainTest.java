package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.TokenSequence;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.domains.Domain;
import net.jqwik.api.statistics.Statistics;

@Domain(RlhfDomain.class)
class RlhfDomainTest {

    @Property(tries = 200)
    void theNumbersOfARolloutHaveOneShapeAndTheirRanges(@ForAll RolloutNumbers rollout) {
        assertThat(rollout.scores()).hasSize(rollout.logProbs().length);
        for (int i = 0; i < rollout.logProbs().length; i++) {
            int length = rollout.logProbs()[i].length;
            assertThat(length).isPositive();
            assertThat(rollout.rewards()[i]).hasSize(length);
            assertThat(rollout.values()[i]).hasSize(length);
            assertThat(rollout.referenceLogProbs()[i]).hasSize(length);
            for (int t = 0; t < length; t++) {
                assertThat(rollout.logProbs()[i][t]).isBetween(-12.0, 0.0);
                assertThat(Math.abs(rollout.logProbs()[i][t] - rollout.oldLogProbs()[i][t]))
                        .isLessThanOrEqualTo(0.5 + 1e-9);
            }
        }
        boolean ragged = IntStream.range(0, rollout.logProbs().length)
                        .map(i -> rollout.logProbs()[i].length)
                        .distinct()
                        .count()
                > 1;
        Statistics.label("ragged").collect(ragged).coverage(checker -> checker.check(true)
                .percentage(p -> p > 20));
    }

    @Property(tries = 200)
    void rankingsHaveAWinnerAndSometimesTies(@ForAll Ranking ranking) {
        assertThat(ranking.pairCount()).isPositive();
        boolean ties = ranking.ranks().stream().distinct().count() < ranking.size();
        Statistics.label("ties").collect(ties).coverage(checker -> checker.check(true)
                .percentage(p -> p > 20));
    }

    @Property(tries = 200)
    void tokensLieInTheVocabulary(@ForAll TokenSequence tokens, @ForAll Exchange exchange) {
        assertThat(tokens.stream()).allMatch(id -> id < RlhfDomain.VOCABULARY_SIZE);
        assertThat(exchange.prompt()).isNotEmpty();
    }
}
