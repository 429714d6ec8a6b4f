package io.github.rlhf4j.ppo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class MicroBatchesTest {

    private static List<ScoredSequence> ofLengths(List<Integer> lengths) {
        return lengths.stream()
                .map(length -> ScoredSequence.ofText(TokenSequence.of(new int[length])))
                .toList();
    }

    @Test
    void theLongestComeFirstAndEqualLengthsKeepTheirOrder() {
        assertThat(MicroBatches.rows(ofLengths(List.of(2, 5, 3, 5, 2, 9)), 8))
                .containsExactly(new int[] {5}, new int[] {1}, new int[] {3, 2}, new int[] {0, 4});
    }

    @Property
    void eachRowIsInOnePassAndNoPassIsOverTheBudgetButALongSequenceAlone(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 2, max = 40) Integer> lengths,
            @ForAll @IntRange(min = 1, max = 100) int budget) {
        List<int[]> passes = MicroBatches.rows(ofLengths(lengths), budget);
        assertThat(passes.stream().flatMapToInt(Arrays::stream).sorted())
                .containsExactlyElementsOf(java.util.stream.IntStream.range(0, lengths.size())
                        .boxed()
                        .toList());
        for (int[] rows : passes) {
            int tokens = Arrays.stream(rows).map(lengths::get).sum();
            assertThat(rows.length == 1 || tokens <= budget).isTrue();
        }
    }

    @Property
    void scoresComeBackInTheBatchesOrder(
            @ForAll @Size(min = 1, max = 30) List<@IntRange(min = 2, max = 40) Integer> lengths,
            @ForAll @IntRange(min = 1, max = 100) int budget) {
        SequenceBatch batch = new SequenceBatch(ofLengths(lengths));
        double[][] scores = MicroBatches.score("lengths", batch, budget, pass -> pass.sequences().stream()
                .map(sequence -> new double[sequence.scoredCount()])
                .toArray(double[][]::new));
        batch.checkShape("lengths", scores);
    }

    @Test
    void aScorerThatReturnsAnotherShapeIsNamed() {
        SequenceBatch batch = new SequenceBatch(ofLengths(List.of(3, 4)));
        assertThatThrownBy(() -> MicroBatches.score("the values", batch, 100, pass -> new double[1][2]))
                .hasMessageContaining("the values has 1 rows for a batch of 2");
    }
}
