package io.github.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reward models made from others. */
class RewardModelsTest {

    private static final List<Exchange> BATCH = List.of(Exchange.of("p", "a"), Exchange.of("p", "bbb"));
    private static final RewardModel LENGTH = RewardModels.of(e -> e.response().length());

    @Test
    void combinationsAreWhatTheySay() {
        RewardModel sum = RewardModels.weightedSum(
                new RewardModels.Weighted(LENGTH, 2), new RewardModels.Weighted(RewardModels.of(e -> 1), -3));
        assertThat(sum.score(BATCH)).containsExactly(-1, 3);
        assertThat(RewardModels.clipped(sum, 0, 2).score(BATCH)).containsExactly(0, 2);
        assertThat(RewardModels.normalized(LENGTH, new ScoreNormalization(10, 1))
                        .score(BATCH))
                .containsExactly(11, 31);
    }

    @Test
    void aModelThatBreaksItsContractIsNamed() {
        assertThatThrownBy(() -> RewardModels.score(batch -> new double[3], BATCH))
                .hasMessageContaining("asked for 2, got 3");
        assertThatThrownBy(() -> RewardModels.score(batch -> new double[] {1, 1 / 0.0}, BATCH))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("exchange 1 of 2 as Infinity")
                .hasMessageContaining("response \"bbb\"");
        assertThatThrownBy(() -> RewardModels.clipped(LENGTH, 1, 1)).hasMessageContaining("minimum < maximum");
    }

    @Test
    void ensemblesAverageOrDistrust() {
        List<RewardModel> members = List.of(LENGTH, RewardModels.of(e -> 3), RewardModels.of(e -> 5));
        double spread = Math.sqrt(8 / 3.0);
        assertThat(new RewardEnsemble(members, new RewardEnsemble.Mean()).score(BATCH))
                .containsExactly(new double[] {3, 11 / 3.0}, within(1e-12));
        assertThat(new RewardEnsemble(members, new RewardEnsemble.Minimum()).score(BATCH))
                .containsExactly(1, 3);
        RewardEnsemble careful = new RewardEnsemble(members, new RewardEnsemble.LowerBound(2));
        assertThat(careful.score(BATCH)[0]).isCloseTo(3 - 2 * spread, within(1e-12));
        assertThat(careful.disagreement(BATCH)[0]).isCloseTo(spread, within(1e-12));
        assertThat(careful.memberScores(BATCH)[1]).containsExactly(3, 3, 5);
        assertThatThrownBy(() -> new RewardEnsemble(List.of(), new RewardEnsemble.Mean()))
                .hasMessageContaining("at least one");
    }
}
