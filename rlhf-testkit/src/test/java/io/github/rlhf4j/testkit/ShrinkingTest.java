package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.group.GroupConfig;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.function.Predicate;
import java.util.stream.Stream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.RandomGenerator;
import net.jqwik.api.Shrinkable;

/** What a property that fails is shown with: the smallest of what the generators give, found as jqwik finds it. */
class ShrinkingTest {

    private static <T> T smallest(Arbitrary<T> arbitrary, Predicate<T> fails) {
        RandomGenerator<T> generator = arbitrary.generator(1000);
        Random random = new Random(5);
        Shrinkable<T> smallest = Stream.generate(() -> generator.next(random))
                .limit(10_000)
                .filter(candidate -> fails.test(candidate.value()))
                .findFirst()
                .orElseThrow();
        while (true) {
            Shrinkable<T> last = smallest;
            Optional<Shrinkable<T>> smaller = last.shrink()
                    .filter(next -> next.distance().compareTo(last.distance()) < 0 && fails.test(next.value()))
                    .findFirst();
            if (smaller.isEmpty()) {
                return last.value();
            }
            smallest = smaller.get();
        }
    }

    @Example
    void aRolloutShrinksToOneTokenAtTheEdge() {
        RolloutNumbers rollout = smallest(RlhfArbitraries.rollouts(), numbers -> Arrays.stream(numbers.rewards()[0])
                .anyMatch(reward -> reward >= 1.5));
        assertThat(rollout.rewards()).isDeepEqualTo(new double[][] {{1.5}});
        assertThat(rollout.logProbs()).isDeepEqualTo(new double[][] {{0}});
        assertThat(rollout.values()).isDeepEqualTo(new double[][] {{0}});
        assertThat(rollout)
                .hasToString("RolloutNumbers[logProbs=[[0.0]], oldLogProbs=[[0.0]], "
                        + "referenceLogProbs=[[0.0]], rewards=[[1.5]], values=[[0.0]], scores=[0.0]]");
    }

    @Example
    void aRankingShrinksToThreeResponsesWithATie() {
        Ranking ranking = smallest(
                RlhfArbitraries.rankings(), r -> r.ranks().stream().distinct().count() < r.size());
        assertThat(ranking.size()).isEqualTo(3);
        assertThat(ranking.responses()).containsOnly("");
    }

    @Example
    void aBatchShrinksToTheSequenceThatMatters() {
        SequenceBatch batch = smallest(RlhfArbitraries.batches(16), b -> b.sequences().stream()
                .anyMatch(sequence -> sequence.scoredCount() >= 2));
        assertThat(batch.size()).isOne();
        assertThat(batch.tokenCount()).isEqualTo(3);
        assertThat(batch.temperature()).isEqualTo(1);
    }

    @Example
    void aConfigurationShrinksToTheSettingThatMatters() {
        PpoConfig config =
                smallest(ConfigArbitraries.ppo(), c -> !c.advantages().whiten());
        assertThat(config.iterations()).isOne();
        assertThat(config.batches().rollout()).isOne();
        assertThat(config.epochs()).isOne();
        assertThat(config.losses().policy().dualClip()).isZero();
        GroupConfig group = smallest(ConfigArbitraries.group(), c -> c.groupSize() >= 3);
        assertThat(group.batches().rollout()).isEqualTo(3);
    }
}
