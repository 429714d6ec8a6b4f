package io.github.rlhf4j.reward.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.reward.RewardPass;
import io.github.rlhf4j.reward.TrainableRewardModel;
import io.github.rlhf4j.reward.TrainableRewardModelContract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model that trainers are tested with keeps the contract, and each test of the contract fails on one that does not. */
class BrokenRewardTrainingTest {

    private static final List<Exchange> EXCHANGES =
            List.of(Exchange.of("?", "ab"), Exchange.of("!", ""), Exchange.of("?", "abba"));

    @TempDir
    Path temporary;

    private int directories;

    @Nested
    class Whole extends TrainableRewardModelContract {

        @Override
        protected TrainableRewardModel rewardModel() {
            return new LinearRewardModel(16);
        }

        @Override
        protected List<Exchange> exchanges() {
            return EXCHANGES;
        }
    }

    private interface ContractTest {
        void run(TrainableRewardModelContract contract) throws Exception;
    }

    private void assertFails(Supplier<TrainableRewardModel> models, ContractTest test, String says) throws IOException {
        Path place = Files.createDirectory(temporary.resolve("test" + directories++));
        TrainableRewardModelContract contract = new TrainableRewardModelContract() {
            {
                directory = place;
            }

            @Override
            protected TrainableRewardModel rewardModel() {
                return models.get();
            }

            @Override
            protected List<Exchange> exchanges() {
                return EXCHANGES;
            }
        };
        assertThat(catchThrowable(() -> test.run(contract)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(says);
    }

    /** A sound model to break one method of. */
    private static class Linear extends LinearRewardModel {

        Linear() {
            super(16);
        }
    }

    @Test
    void passes() throws IOException {
        assertFails(
                () -> new Linear() {
                    @Override
                    public double[] score(List<Exchange> batch) {
                        return batch.stream()
                                .mapToDouble(e -> 1 + super.score(List.of(e))[0])
                                .toArray();
                    }

                    @Override
                    public RewardPass forward(List<Exchange> batch) {
                        return new LinearRewardModel(16).forward(batch);
                    }
                },
                TrainableRewardModelContract::aForwardPassScoresAsScoreDoes,
                "forward must give score's scores");
        assertFails(
                () -> new Linear() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(-learningRate);
                    }
                },
                TrainableRewardModelContract::anUpdateDescendsTheLoss,
                "what an update adds to the loss");
        assertFails(
                () -> new Linear() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return super.update(Math.max(learningRate, 0.1));
                    }
                },
                TrainableRewardModelContract::nothingMovesBeforeUpdateNorAtRateZero,
                "update(0) must move no parameter");
        assertFails(
                () -> new Linear() {
                    @Override
                    public RewardPass forward(List<Exchange> batch) {
                        update(0); // forgets what went before
                        return super.forward(batch);
                    }
                },
                TrainableRewardModelContract::microBatchesAddUp,
                "must add up");
        assertFails(
                () -> new Linear() {
                    @Override
                    public int tokenCount(Exchange exchange) {
                        return exchange.response().length();
                    }
                },
                TrainableRewardModelContract::everyExchangeCostsTokens,
                "number of tokens");
    }

    @Test
    void refusalsAndStates() throws IOException {
        assertFails(
                () -> new Linear() {
                    @Override
                    public UpdateReport update(double learningRate) {
                        return new UpdateReport(0, false);
                    }
                },
                TrainableRewardModelContract::aGradientThatIsNotFiniteIsRefusedAndMovesNothing,
                "not finite");
        Supplier<TrainableRewardModel> forgetful = () -> new Linear() {
            @Override
            public void restoreState(Path from) {}
        };
        assertFails(forgetful, TrainableRewardModelContract::aRestoredModelGoesOnAsTheSavedOne, "to the same bits");
        assertFails(
                forgetful, TrainableRewardModelContract::aMissingStateIsRefusedAndChangesNothing, "an empty directory");
    }
}
