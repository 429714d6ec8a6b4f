package io.github.rlhf4j.benchmarks;

import static io.github.rlhf4j.benchmarks.TinyModels.TOKENIZER;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.training.LearningRatePlan;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.PretrainingTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs on a real transformer that cannot go on: they stop, say why, and leave what there was. */
class BrokenRunTest {

    private final TinyModels models = new TinyModels();

    @TempDir
    private Path directory;

    @AfterEach
    void close() {
        models.close();
    }

    private PretrainingTrainer pretraining(TransformerPolicy model, double rate) {
        PackedDocuments text = PackedDocuments.of(TOKENIZER, List.of("abcdefgh?".repeat(20)));
        PretrainingConfig config = PretrainingConfig.defaults(100, 12)
                .withBatchSize(4)
                .withLearningRate(LearningRatePlan.constant(rate))
                .withEvaluation(0, 0);
        return new PretrainingTrainer(model, text, null, config);
    }

    /** Steps until it fails, and checks that the failing step moved no parameter. */
    private static Throwable failure(Trainer trainer, TransformerPolicy model) {
        while (!trainer.finished()) {
            float[] before = TinyModels.bits(model.parameters());
            long steps = trainer.stepsDone();
            Throwable thrown = catchThrowable(trainer::step);
            if (thrown != null) {
                assertThat(TinyModels.bits(model.parameters())).isEqualTo(before);
                assertThat(trainer.stepsDone()).isEqualTo(steps);
                return thrown;
            }
        }
        throw new AssertionError(trainer.name() + " went through");
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e6, 1e38})
    void aDivergingLossStopsTheRunWithADiagnosis(double rate) {
        TransformerPolicy model = models.policy(1);
        assertThat(failure(pretraining(model, rate), model))
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("pretraining")
                .hasMessageContaining("diverged")
                .hasMessageContaining("ower") // Lower the learning rate, or: with a lower learning rate
                .hasMessageContaining("learning rate");
    }

    @Test
    void aDivergingPolicyStopsPpoWithADiagnosis() {
        TransformerPolicy policy = models.policy(1);
        PpoTrainer trainer = models.ppo(
                        policy,
                        TinyModels.ppoConfig(50)
                                .withRates(
                                        new LearningRateSchedule.Constant(1e38),
                                        new LearningRateSchedule.Constant(1e-3)))
                .build();
        Throwable thrown = null;
        while (thrown == null && !trainer.finished()) {
            thrown = catchThrowable(trainer::step);
        }
        assertThat(thrown).isInstanceOf(DivergenceException.class).hasMessageContaining("learning rate");
    }

    @Test
    void aRewardThatIsNoNumberNamesTheExchangeAndMovesNothing() {
        TransformerPolicy policy = models.policy(1);
        RewardModel broken = batch -> {
            double[] scores = new double[batch.size()];
            scores[3] = Double.NaN;
            return scores;
        };
        assertThat(failure(
                        models.ppo(policy, TinyModels.ppoConfig(1))
                                .rewardModel(broken)
                                .build(),
                        policy))
                .hasMessageContaining("score NaN to exchange 3")
                .hasMessageContaining("response \"")
                .hasMessageContaining("finite");
    }

    @Test
    void aRewardModelThatReturnsTheWrongCountIsNamedAndMovesNothing() {
        TransformerPolicy policy = models.policy(1);
        RewardModel broken = batch -> new double[batch.size() - 1];
        assertThat(failure(
                        models.ppo(policy, TinyModels.ppoConfig(1))
                                .rewardModel(broken)
                                .build(),
                        policy))
                .hasMessageContaining("given 8 exchanges and returned 7 scores");
    }

    @Test
    void aPromptAsLongAsTheWindowIsRefusedWhenTheTrainerIsBuilt() {
        List<Prompt> prompts = List.of(TinyModels.prompt("a?"), TinyModels.prompt("a".repeat(TinyModels.CONTEXT)));
        assertThatThrownBy(() -> models.ppo(models.policy(1), TinyModels.ppoConfig(1))
                        .prompts(prompts)
                        .build())
                .hasMessageContaining("prompt 1 has 26 tokens")
                .hasMessageContaining("context of 24");
    }

    @ParameterizedTest
    @ValueSource(strings = {"policy/state.safetensors", "value/state.safetensors", "trainer.json", "manifest.json"})
    void aCheckpointWithAFlippedByteIsRefusedByNameAndRestoresNothing(String file) throws IOException {
        PpoTrainer saved = models.ppo(models.policy(1), TinyModels.ppoConfig(2)).build();
        saved.step();
        Path checkpoint = directory.resolve("checkpoint");
        saved.save(checkpoint);
        flipAByte(checkpoint.resolve(file));

        TransformerPolicy policy = models.policy(2);
        float[] before = TinyModels.bits(policy.parameters());
        PpoTrainer other = models.ppo(policy, TinyModels.ppoConfig(2)).build();
        assertThatThrownBy(() -> other.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.equals("manifest.json") ? "manifest" : file);
        assertThat(other.stepsDone()).isZero();
        assertThat(TinyModels.bits(policy.parameters())).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model.safetensors", "tokenizer.json", "config.json"})
    void aModelSavedAsACheckpointIsRefusedWithAFlippedByte(String file) throws IOException {
        Path model = directory.resolve("model");
        Checkpoints.write(model, models.policy(1)::save);
        Checkpoints.verify(model);
        flipAByte(model.resolve(file));
        assertThatThrownBy(() -> Checkpoints.verify(model))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file);
    }

    private static void flipAByte(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, bytes);
    }
}
