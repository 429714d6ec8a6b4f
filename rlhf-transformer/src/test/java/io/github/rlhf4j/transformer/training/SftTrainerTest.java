package io.github.rlhf4j.transformer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.transformer.training.SftConfig.TooLong;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fine-tuning on an exact learner: the loss is on what the assistant says, each token of a batch counting the same. */
class SftTrainerTest {

    private static final LetterTokenizer TOKENIZER = new LetterTokenizer(RoleChatFormat.specialTokens());
    private static final ChatFormat FORMAT = new RoleChatFormat(TOKENIZER);
    private static final SftConfig CONFIG = SftConfig.defaults(3, 16)
            .withBatchSize(4)
            .withLearningRate(LearningRatePlan.constant(0.5))
            .withEvaluateEvery(4);

    private static final List<Demonstration> DEMONSTRATIONS = IntStream.range(0, 10)
            .mapToObj(i -> Demonstration.of("xyz".substring(i % 3), "abcdefghij".substring(0, 1 + i % 7)))
            .toList();

    private static SftTrainer trainer(BigramLearner learner, List<Demonstration> training, SftConfig config) {
        return new SftTrainer(learner, FORMAT, training, List.of(), config);
    }

    private static BigramLearner learner() {
        return new BigramLearner(TOKENIZER.vocabularySize());
    }

    @Test
    void whatTheUserSaysHasNoGradient() {
        BigramLearner learner = learner();
        trainer(learner, List.of(Demonstration.of("xyz", "ab")), CONFIG).step();
        for (int user : TOKENIZER.encode("xyz").toArray()) {
            assertThat(learner.logits[user]).containsOnly(0.0);
        }
        assertThat(learner.logits[TOKENIZER.specialToken("<|user|>")]).containsOnly(0.0);
        int assistant = TOKENIZER.specialToken("<|assistant|>");
        int end = TOKENIZER.specialToken("<|end|>");
        assertThat(learner.logits[assistant][0]).isPositive();
        assertThat(learner.logits[0][1]).isPositive();
        assertThat(learner.logits[1][end]).as("the stop token is learned").isPositive();
        assertThat(learner.logits[end]).as("nothing after the end").containsOnly(0.0);
    }

    @Test
    void everyAssistantTurnOfAConversationIsScored() {
        BigramLearner learner = learner();
        Demonstration twoTurns = new Demonstration(new Conversation(List.of(
                Message.system("s"),
                Message.user("x"),
                Message.assistant("ab"),
                Message.user("yz"),
                Message.assistant("c"))));
        StepReport report =
                trainer(learner, List.of(twoTurns), CONFIG.withBatchSize(1)).step();
        assertThat(report.metric("sft/tokens")).isEqualTo(5);
        ScoredSequence sequence = learner.passes.get(0).sequences().get(0);
        int end = TOKENIZER.specialToken("<|end|>");
        assertThat(Arrays.stream(sequence.positions()).map(sequence.tokens()::get))
                .containsExactly(0, 1, end, 2, end);
    }

    /** trl #2175, transformers #34373: a mean of micro-batch means weighs tokens of short responses more. */
    @Test
    void theLossIsTheMeanOverTheTokensOfTheBatchHoweverItIsCut() {
        BigramLearner whole = learner();
        BigramLearner one = learner();
        SftTrainer inOnePass = trainer(whole, DEMONSTRATIONS, CONFIG.withMicroBatchTokens(10_000));
        SftTrainer oneByOne = trainer(one, DEMONSTRATIONS, CONFIG.withMicroBatchTokens(1));
        while (!inOnePass.finished()) {
            StepReport a = inOnePass.step();
            StepReport b = oneByOne.step();
            assertThat(b.metric("sft/loss")).isCloseTo(a.metric("sft/loss"), within(1e-12));
            assertThat(b.metric("sft/gradient_norm")).isCloseTo(a.metric("sft/gradient_norm"), within(1e-12));
        }
        assertThat(whole.passes).hasSize(8);
        assertThat(one.passes).hasSize(30);
        for (int i = 0; i < whole.logits.length; i++) {
            assertThat(one.logits[i]).containsExactly(whole.logits[i], within(1e-12));
        }
    }

    @Test
    void eachEpochHasEveryDemonstrationOnceInAnOrderOfItsOwn() {
        BigramLearner learner = learner();
        trainer(learner, DEMONSTRATIONS, CONFIG).run();
        List<ScoredSequence> seen = learner.passes.stream()
                .flatMap(pass -> pass.sequences().stream())
                .toList();
        List<ScoredSequence> all =
                DEMONSTRATIONS.stream().map(FORMAT::demonstration).toList();
        assertThat(seen).hasSize(30);
        for (int epoch = 0; epoch < 3; epoch++) {
            assertThat(seen.subList(10 * epoch, 10 * epoch + 10)).containsExactlyInAnyOrderElementsOf(all);
        }
        assertThat(seen.subList(0, 10)).isNotEqualTo(seen.subList(10, 20));
        assertThat(learner.passes.get(7).size())
                .as("the last batch is what is left")
                .isEqualTo(2);
    }

    @Test
    void aResumedRunEqualsTheUninterruptedOneToTheBit(@TempDir Path directory) throws IOException {
        BigramLearner uninterrupted = learner();
        List<StepReport> reports = stepAll(heldOutTrainer(uninterrupted));
        SftTrainer killed = heldOutTrainer(learner());
        IntStream.range(0, 3).forEach(i -> killed.step());
        killed.save(directory.resolve("checkpoint"));
        BigramLearner resumedLearner = learner();
        SftTrainer resumed = heldOutTrainer(resumedLearner);
        resumed.restore(directory.resolve("checkpoint"));
        assertThat(stepAll(resumed)).isEqualTo(reports.subList(3, 8));
        assertThat(Arrays.deepEquals(resumedLearner.logits, uninterrupted.logits))
                .isTrue();
        assertThat(reports.get(3).metrics()).containsKeys("sft/validation_loss", "sft/validation_perplexity");
    }

    private static SftTrainer heldOutTrainer(BigramLearner learner) {
        return new SftTrainer(learner, FORMAT, DEMONSTRATIONS, DEMONSTRATIONS.subList(0, 3), CONFIG);
    }

    private static List<StepReport> stepAll(SftTrainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        while (!trainer.finished()) {
            reports.add(trainer.step());
        }
        return reports;
    }

    @Test
    void aCheckpointOfAnotherStageIsRefused(@TempDir Path directory) throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        PackedDocuments text = PackedDocuments.ofTokens(new int[50], 30);
        new PretrainingTrainer(learner(), text, null, PretrainingConfig.defaults(3, 4)).save(checkpoint);
        assertThatThrownBy(() -> trainer(learner(), DEMONSTRATIONS, CONFIG).restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("pretraining")
                .hasMessageContaining("sft");
    }

    private static final List<Demonstration> LONG = List.of(
            Demonstration.of("x", "ab"),
            Demonstration.of("x", "abcdefghijklmnopqrst"),
            Demonstration.of("xxxxxxxxxxxxxxxxxxxxx", "ab"));

    @Test
    void tooLongDemonstrationsAreCutAtTheEnd() {
        BigramLearner learner = learner();
        SftTrainer trainer = trainer(learner, LONG, CONFIG);
        assertThat(trainer.intake()).isEqualTo(new SftTrainer.Intake(2, 1, 1));
        trainer.run();
        assertThat(learner.passes)
                .flatExtracting(pass -> pass.sequences())
                .allMatch(sequence -> sequence.length() <= 16)
                .anyMatch(sequence -> sequence.length() == 16 && sequence.scoredCount() == 13);
        assertThat(learner.logits[12][TOKENIZER.specialToken("<|end|>")])
                .as("a cut does not teach to stop there")
                .isNotPositive();
    }

    @Test
    void tooLongDemonstrationsAreDropped() {
        SftTrainer trainer = trainer(learner(), LONG, CONFIG.withTooLong(TooLong.DROP));
        assertThat(trainer.intake()).isEqualTo(new SftTrainer.Intake(1, 0, 2));
    }

    @Test
    void tooLongDemonstrationsAreRejected() {
        assertThatThrownBy(() -> trainer(learner(), LONG, CONFIG.withTooLong(TooLong.REJECT)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("training demonstration 1 has 24 tokens and the model's context holds 16")
                .hasMessageContaining("choose tooLong = DROP or TRUNCATE_END");
        assertThatThrownBy(() -> trainer(learner(), LONG.subList(2, 3), CONFIG))
                .hasMessageContaining("none of the 1 training demonstrations has an assistant token within");
        assertThatThrownBy(() -> trainer(learner(), List.of(), CONFIG))
                .hasMessageContaining("there is no demonstration to learn from");
    }

    @Test
    void theConfigurationsSurviveJson() throws IOException {
        ObjectMapper json = new ObjectMapper();
        assertThat(json.readValue(json.writeValueAsString(CONFIG), SftConfig.class))
                .isEqualTo(CONFIG);
        PretrainingConfig pretraining = PretrainingConfig.nanoGptShakespeare();
        assertThat(json.readValue(json.writeValueAsString(pretraining), PretrainingConfig.class))
                .isEqualTo(pretraining);
    }
}
