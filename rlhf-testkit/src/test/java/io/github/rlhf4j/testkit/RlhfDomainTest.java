package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import java.util.Arrays;
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

    @Property(tries = 300)
    void edgesAreAmongTheNumbers(@ForAll RolloutNumbers rollout) {
        boolean single = rollout.logProbs().length == 1 && rollout.logProbs()[0].length == 1;
        Statistics.label("one token in all").collect(single).coverage(checker -> checker.check(true)
                .percentage(p -> p > 1));
        boolean certain = Arrays.stream(rollout.logProbs())
                .flatMapToDouble(Arrays::stream)
                .anyMatch(l -> l == 0);
        Statistics.label("a certain token").collect(certain).coverage(checker -> checker.check(true)
                .percentage(p -> p > 1));
        boolean lowest = Arrays.stream(rollout.logProbs())
                .flatMapToDouble(Arrays::stream)
                .anyMatch(l -> l == -12);
        Statistics.label("the least likely token").collect(lowest).coverage(checker -> checker.check(true)
                .percentage(p -> p > 1));
    }

    /** A configuration that is not valid throws in its constructor; here they differ in what they choose. */
    @Property(tries = 200)
    void configurationsAreValidAndOfEveryKind(@ForAll PpoConfig ppo, @ForAll GroupConfig group, @ForAll DpoConfig dpo) {
        assertThat(ppo.batches().rollout() % ppo.batches().minibatch()).isZero();
        assertThat(group.batches().rollout() % group.groupSize()).isZero();
        assertThat(dpo.totalSteps(3)).isPositive();
        Statistics.label("stops").collect(ppo.sampling().stopTokens().isEmpty()).coverage(checker -> {
            checker.check(true).percentage(p -> p > 10);
            checker.check(false).percentage(p -> p > 10);
        });
        Statistics.label("KL")
                .collect(ppo.rewards().kl().getClass().getSimpleName())
                .coverage(checker -> {
                    checker.check("Fixed").percentage(p -> p > 5);
                    checker.check("Adaptive").percentage(p -> p > 5);
                    checker.check("HalvingDoubling").percentage(p -> p > 5);
                });
    }

    @Property(tries = 100)
    void batchesHaveScoredTokens(@ForAll SequenceBatch batch) {
        assertThat(batch.sequences()).isNotEmpty().allMatch(sequence -> sequence.scoredCount() > 0);
    }
}
