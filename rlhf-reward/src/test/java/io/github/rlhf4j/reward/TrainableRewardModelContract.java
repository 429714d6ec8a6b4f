package io.github.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.testkit.RewardModelContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What {@link TrainableRewardModel} promises, as tests, those of {@link RewardModelContract} included. It is here and not in
 * rlhf-testkit because the testkit does not know this module, whose tests depend on it.
 */
public abstract class TrainableRewardModelContract extends RewardModelContract {

    @TempDir
    protected Path directory;

    /** A new model at each call, always of the same parameters. */
    @Override
    protected abstract TrainableRewardModel rewardModel();

    /** Of which a batch's sum of scores is to move. */
    @Override
    protected abstract List<Exchange> exchanges();

    protected double learningRate() {
        return 1e-3;
    }

    @Test
    public void aForwardPassScoresAsScoreDoes() {
        TrainableRewardModel model = rewardModel();
        try (RewardPass pass = model.forward(exchanges())) {
            assertClose("forward must give score's scores", pass.scores(), model.score(exchanges()));
        }
    }

    @Test
    public void anUpdateDescendsTheLoss() {
        for (double sign : new double[] {1, -1}) {
            TrainableRewardModel model = rewardModel();
            double before = Arrays.stream(model.score(exchanges())).sum();
            train(model, sign);
            double moved = Arrays.stream(model.score(exchanges())).sum() - before;
            assertThat(sign * moved).as("what an update adds to the loss").isNegative();
        }
    }

    @Test
    public void nothingMovesBeforeUpdateNorAtRateZero() {
        TrainableRewardModel model = rewardModel();
        double[] before = model.score(exchanges());
        backward(model, exchanges(), 1);
        assertClose("nothing may move before update", model.score(exchanges()), before);
        model.update(0);
        assertClose("update(0) must move no parameter", model.score(exchanges()), before);
    }

    @Test
    public void microBatchesAddUp() {
        TrainableRewardModel whole = rewardModel();
        train(whole, -1);
        TrainableRewardModel parts = rewardModel();
        exchanges().forEach(exchange -> backward(parts, List.of(exchange), -1));
        parts.update(learningRate());
        assertClose(
                "the gradients of several backward passes must add up",
                parts.score(exchanges()),
                whole.score(exchanges()));
    }

    @Test
    public void aGradientThatIsNotFiniteIsRefusedAndMovesNothing() {
        TrainableRewardModel model = rewardModel();
        double[] before = model.score(exchanges());
        backward(model, exchanges(), Double.NaN);
        assertThrows(
                DivergenceException.class,
                () -> model.update(learningRate()),
                "update must refuse a gradient that is not finite;");
        assertClose("a refused update must leave the parameters as they were", model.score(exchanges()), before);
    }

    @Test
    public void aRestoredModelGoesOnAsTheSavedOne() throws IOException {
        TrainableRewardModel saved = rewardModel();
        train(saved, -1);
        Path state = Files.createDirectory(directory.resolve("state"));
        saved.saveState(state);
        TrainableRewardModel restored = rewardModel();
        restored.restoreState(state);
        for (int step = 0; step < 2; step++) {
            assertThat(restored.score(exchanges()))
                    .as("a restored model must score and train to the same bits, after %d updates", step)
                    .isEqualTo(saved.score(exchanges()));
            train(saved, 1);
            train(restored, 1);
        }
    }

    @Test
    public void aMissingStateIsRefusedAndChangesNothing() throws IOException {
        TrainableRewardModel model = rewardModel();
        double[] before = model.score(exchanges());
        Path empty = Files.createDirectory(directory.resolve("empty"));
        assertThrows(
                IOException.class, () -> model.restoreState(empty), "restoreState of an empty directory must throw;");
        assertClose("a failed restoreState must leave the state unchanged", model.score(exchanges()), before);
    }

    @Test
    public void everyExchangeCostsTokens() {
        TrainableRewardModel model = rewardModel();
        assertThat(exchanges()).as("exchanges by their number of tokens").allMatch(e -> model.tokenCount(e) > 0);
    }

    private void train(TrainableRewardModel model, double dScore) {
        backward(model, exchanges(), dScore);
        model.update(learningRate());
    }

    private static void backward(TrainableRewardModel model, List<Exchange> batch, double dScore) {
        double[] dScores = new double[batch.size()];
        Arrays.fill(dScores, dScore);
        try (RewardPass pass = model.forward(batch)) {
            pass.backward(dScores);
        }
    }

    private void assertClose(String rule, double[] actual, double[] expected) {
        assertThat(actual).as(rule).containsExactly(expected, within(tolerance()));
    }
}
