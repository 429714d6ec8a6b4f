package io.github.rlhf4j.benchmarks.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kind of work is ready, has a check, and does a step, on a model of one layer. */
class WorkTest {

    private static final Map<String, Integer> SIZES =
            Map.of(Job.NEW_TOKENS, 3, Job.BATCH, 2, Job.EPOCHS, 1, Job.VOCABULARY, 260, Job.SIZE, 16);
    private static final List<String> TEXTS = List.of("a cat sat on a mat", "a dog did not sit on the cat's mat");

    @TempDir
    Path directory = Path.of("");

    @BeforeEach
    void write() throws IOException {
        Tokenizer tokenizer = new BytePairTrainer(280)
                .withSpecialTokens(RoleChatFormat.specialTokens().toArray(String[]::new))
                .train(TEXTS)
                .tokenizer();
        TransformerConfig shape = TransformerConfig.gpt2(tokenizer.vocabularySize(), 128, 16, 1, 2);
        try (TransformerPolicy policy = TransformerPolicy.create(shape, tokenizer, AdamWConfig.gpt3(), 1)) {
            policy.save(directory.resolve(Job.MODEL));
        }
        Files.writeString(directory.resolve(Job.TEXT), String.join("\n", TEXTS));
        Files.writeString(
                directory.resolve(SftWork.DEMONSTRATIONS),
                "{\"prompt\": \"cat?\", \"response\": \"a cat\"}\n{\"prompt\": \"dog?\", \"response\": \"a dog sat\"}\n");
        Files.writeString(
                directory.resolve(DpoWork.PREFERENCES),
                "{\"prompt\": \"cat?\", \"chosen\": \"a cat\", \"rejected\": \"a dog sat\"}\n");
        ChatFormat format = new RoleChatFormat(tokenizer);
        SequenceFile.write(
                directory,
                List.of(
                        format.demonstration(Demonstration.of("cat?", "a cat")),
                        format.demonstration(Demonstration.of("dog?", "a dog sat")),
                        format.demonstration(Demonstration.of("cat?", "a dog sat")),
                        format.demonstration(Demonstration.of("dog?", "a cat"))));
    }

    private Work work(String name) throws IOException {
        return Work.of(Job.of(name, 1, directory, SIZES));
    }

    @ParameterizedTest
    @ValueSource(strings = {"train", "generate", "ppo", "sft", "dpo", "bpe-train", "bpe-encode", "gemm"})
    void everyWorkHasACheckAndDoesSteps(String name) throws IOException {
        Work work = work(name);
        assertThat(work.check()).isPositive().isFinite();
        work.run(2);
    }

    /** Weights near zero predict each of the V tokens alike. */
    @ParameterizedTest
    @ValueSource(strings = {"train", "generate", "ppo", "sft", "dpo"})
    void theCheckOfAModelIsItsMeanLoss(String name) throws IOException {
        assertThat(work(name).check()).isCloseTo(Math.log(280), within(0.1));
    }

    @Test
    void trainingLowersTheLoss() throws IOException {
        Work work = work("train");
        double before = work.check();
        work.run(20);
        assertThat(work.check()).isLessThan(before);
    }

    @Test
    void theCheckOfAProductIsOneOfItsElements() throws IOException {
        assertThat(work("gemm").check()).isEqualTo(16 * 0.5 * 0.25);
    }

    @Test
    void thereIsNoOtherWork() {
        assertThatThrownBy(() -> work("dance")).hasMessageContaining("dance");
    }

    @Test
    void sequencesComeBackAsTheyWereWritten() throws IOException {
        List<ScoredSequence> sequences = List.of(
                ScoredSequence.ofText(TokenSequence.of(5, 3, 8)),
                ScoredSequence.of(TokenSequence.of(1, 2), TokenSequence.of(3, 4)));
        SequenceFile.write(directory, sequences);
        assertThat(SequenceFile.read(directory)).isEqualTo(sequences);
    }

    @Test
    void whatFollowsTheScoredTokensWouldBeLost() {
        ScoredSequence gap = ScoredSequence.of(TokenSequence.of(1, 2, 3), new int[] {1});
        assertThatThrownBy(() -> SequenceFile.write(directory, List.of(gap))).hasMessageContaining("its last");
    }
}
