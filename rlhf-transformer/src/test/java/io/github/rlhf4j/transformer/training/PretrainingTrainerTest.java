package io.github.rlhf4j.transformer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.transformer.TestModels;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.training.PretrainingConfig.WindowOrder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pretraining on an exact learner: what it converges to, and that cutting, saving and resuming change nothing. */
class PretrainingTrainerTest {

    private static final PretrainingConfig CONFIG = PretrainingConfig.defaults(20, 7)
            .withBatchSize(8)
            .withLearningRate(LearningRatePlan.constant(1.0))
            .withEvaluation(5, 0);

    /** A Markov chain of 4 tokens, mostly v → v + 1. */
    private static PackedDocuments markov(int length, long seed) {
        int[] ids = new int[length];
        RandomKey key = RandomKey.of(seed);
        for (int i = 1; i < length; i++) {
            double u = key.child(i).uniform();
            ids[i] = (ids[i - 1] + (u < 0.6 ? 1 : u < 0.8 ? 0 : u < 0.9 ? 2 : 3)) % 4;
        }
        return PackedDocuments.ofTokens(ids, 4);
    }

    /** Σ_{a,b} −p(a, b) log p(b | a), the least loss a bigram model can have on this text. */
    private static double conditionalEntropy(PackedDocuments text) {
        double[][] counts = new double[4][4];
        for (int i = 1; i < text.length(); i++) {
            counts[text.tokens().get(i - 1)][text.tokens().get(i)]++;
        }
        double sum = 0;
        for (double[] row : counts) {
            double total = Arrays.stream(row).sum();
            sum -= Arrays.stream(row)
                    .filter(n -> n > 0)
                    .map(n -> n * Math.log(n / total))
                    .sum();
        }
        return sum / (text.length() - 1);
    }

    @ParameterizedTest
    @EnumSource(WindowOrder.class)
    void aBigramModelConvergesToTheConditionalEntropyOfTheText(WindowOrder order) {
        PackedDocuments text = markov(5 * 200 + 1, 3);
        PretrainingConfig config =
                new PretrainingConfig(300, 5, 100, 600, order, new LearningRatePlan(3.0, 0.001, 0.05), 0, 0, 0, 1);
        PretrainingTrainer trainer = new PretrainingTrainer(new BigramLearner(4), text, text, config);
        double first = trainer.step().metric("pretraining/loss");
        trainer.run();
        assertThat(first).isCloseTo(Math.log(4), within(1e-12));
        double last = trainer.evaluate().orElseThrow().loss();
        double optimum = conditionalEntropy(text);
        assertThat(last).isBetween(optimum - 1e-12, optimum + 1e-3);
    }

    @Test
    void microBatchesChangeNothingButRounding() {
        double[][] whole = trainedTable(CONFIG.withMicroBatchTokens(8 * 8));
        for (int tokens : new int[] {1, 8, 23, 40}) {
            double[][] parts = trainedTable(CONFIG.withMicroBatchTokens(tokens));
            for (int i = 0; i < 4; i++) {
                assertThat(parts[i]).containsExactly(whole[i], within(1e-12));
            }
        }
    }

    private static double[][] trainedTable(PretrainingConfig config) {
        BigramLearner learner = new BigramLearner(4);
        new PretrainingTrainer(learner, markov(300, 1), null, config).run();
        int perPass = Math.max(1, config.microBatchTokens() / 8);
        assertThat(learner.passes).allMatch(pass -> pass.size() <= perPass);
        assertThat(learner.updates).isEqualTo(20);
        return learner.logits;
    }

    /** The shift of all logits, on which no probability depends, is where the z-loss acts. */
    @Test
    void aZLossBringsTheNormalizerToOne() {
        TransformerConfig config = TransformerConfig.palm(4, 8, 16, 1, 2);
        double[] zLoss = new double[2];
        for (int i = 0; i < 2; i++) {
            try (TransformerPolicy policy =
                    TransformerPolicy.create(config, TestModels.ids(4), AdamWConfig.gpt3(), 1)) {
                PretrainingConfig settings = PretrainingConfig.defaults(60, 8)
                        .withBatchSize(4)
                        .withLearningRate(LearningRatePlan.constant(1e-2))
                        .withZLoss(i == 0 ? 1e-9 : 1);
                List<StepReport> reports = stepAll(new PretrainingTrainer(policy, markov(300, 1), null, settings));
                zLoss[i] = reports.get(59).metrics().get("pretraining/z_loss") / settings.zLoss();
                assertThat(reports.get(0).metrics().get("pretraining/z_loss") / settings.zLoss())
                        .as("log² 4 at first, nearly")
                        .isCloseTo(Math.pow(Math.log(4), 2), within(0.3));
            }
        }
        assertThat(zLoss[1]).isLessThan(0.2 * zLoss[0]);
    }

    @Test
    void aLearnerWithoutAZLossSaysSo() {
        PretrainingConfig config = CONFIG.withZLoss(PretrainingConfig.PALM_Z_LOSS);
        assertThatThrownBy(() -> new PretrainingTrainer(new BigramLearner(4), markov(300, 1), null, config).step())
                .hasMessage("BigramLearner has no z-loss; leave zLoss at 0 in the trainer's configuration");
        assertThatThrownBy(() -> CONFIG.withZLoss(-1)).hasMessage("zLoss must be finite and ≥ 0, got -1.0");
    }

    @ParameterizedTest
    @EnumSource(WindowOrder.class)
    void aResumedRunEqualsTheUninterruptedOneToTheBit(WindowOrder order, @TempDir Path directory) throws IOException {
        PackedDocuments text = markov(500, 1);
        PretrainingConfig config = CONFIG.withOrder(order)
                .withLearningRate(new LearningRatePlan(1, 0.1, 0.2))
                .withSeed(9);
        BigramLearner uninterrupted = new BigramLearner(4);
        List<StepReport> reports = stepAll(new PretrainingTrainer(uninterrupted, text, text, config));

        PretrainingTrainer killed = new PretrainingTrainer(new BigramLearner(4), text, text, config);
        IntStream.range(0, 7).forEach(i -> killed.step());
        killed.save(directory.resolve("checkpoint"));
        IntStream.range(0, 5).forEach(i -> killed.step());

        BigramLearner resumedLearner = new BigramLearner(4);
        PretrainingTrainer resumed = new PretrainingTrainer(resumedLearner, text, text, config);
        resumed.restore(directory.resolve("checkpoint"));
        assertThat(resumed.stepsDone()).isEqualTo(7);
        assertThat(stepAll(resumed)).isEqualTo(reports.subList(7, 20));
        assertThat(Arrays.deepEquals(resumedLearner.logits, uninterrupted.logits))
                .isTrue();
    }

    private static List<StepReport> stepAll(PretrainingTrainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        while (!trainer.finished()) {
            reports.add(trainer.step());
        }
        return reports;
    }

    @Test
    void aCheckpointOfOtherSettingsTextOrBitsIsRefused(@TempDir Path directory) throws IOException {
        PackedDocuments text = markov(500, 1);
        Path checkpoint = directory.resolve("checkpoint");
        new PretrainingTrainer(new BigramLearner(4), text, null, CONFIG).save(checkpoint);
        assertThatThrownBy(() -> new PretrainingTrainer(new BigramLearner(4), text, null, CONFIG.withBatchSize(4))
                        .restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("batchSize was 8, is 4");
        assertThatThrownBy(() ->
                        new PretrainingTrainer(new BigramLearner(4), markov(500, 2), null, CONFIG).restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("trainingText");
        Path model = checkpoint.resolve("model/bigram.bin");
        byte[] bytes = Files.readAllBytes(model);
        bytes[17] ^= 1;
        Files.write(model, bytes);
        assertThatThrownBy(() -> new PretrainingTrainer(new BigramLearner(4), text, null, CONFIG).restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("bigram.bin");
    }

    @Test
    void aSaveThatFailsLeavesTheCheckpointBeforeIt(@TempDir Path directory) throws IOException {
        PackedDocuments text = markov(500, 1);
        Path checkpoint = directory.resolve("checkpoint");
        BigramLearner learner = new BigramLearner(4);
        PretrainingTrainer trainer = new PretrainingTrainer(learner, text, null, CONFIG);
        trainer.step();
        trainer.save(checkpoint);
        trainer.step();
        learner.diskIsFull = true;
        assertThatThrownBy(() -> trainer.save(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left");
        PretrainingTrainer resumed = new PretrainingTrainer(new BigramLearner(4), text, null, CONFIG);
        resumed.restore(checkpoint);
        assertThat(resumed.stepsDone()).isEqualTo(1);
        try (var files = Files.list(directory)) {
            assertThat(files).as("nothing half-written is left").containsExactly(checkpoint);
        }
    }

    @Test
    void shuffledEpochsPredictEachTokenOnce() {
        int[] ids = IntStream.range(0, 41).toArray();
        PackedDocuments text = PackedDocuments.ofTokens(ids, 41);
        BigramLearner learner = new BigramLearner(41);
        PretrainingConfig config = CONFIG.withBatchSize(1);
        PretrainingTrainer trainer =
                new PretrainingTrainer(learner, PackedDocuments.ofTokens(Arrays.copyOf(ids, 36), 41), null, config);
        assertThat(trainer.windowsPerEpoch()).isEqualTo(5);
        assertThat(predicted(learner, trainer, 5)).containsExactlyElementsOf(range(1, 36));
        List<Integer> second = predicted(learner, trainer, 5);
        assertThat(second).containsExactlyElementsOf(range(1, 36));

        BigramLearner odd = new BigramLearner(41);
        PretrainingTrainer spare = new PretrainingTrainer(odd, text, null, config);
        assertThat(predicted(odd, spare, 5)).hasSize(35).doesNotHaveDuplicates();
        predicted(odd, spare, 15);
        assertThat(odd.passes.stream().map(PretrainingTrainerTest::firstToken).distinct())
                .as("epochs begin at other offsets")
                .hasSizeGreaterThan(5);
    }

    private static List<Integer> predicted(BigramLearner learner, PretrainingTrainer trainer, int steps) {
        int before = learner.passes.size();
        IntStream.range(0, steps).forEach(i -> trainer.step());
        return learner.passes.subList(before, learner.passes.size()).stream()
                .flatMap(batch -> batch.sequences().stream())
                .flatMap(window -> Arrays.stream(window.positions())
                        .mapToObj(position -> window.tokens().get(position)))
                .sorted()
                .toList();
    }

    private static int firstToken(SequenceBatch batch) {
        return batch.sequences().get(0).tokens().get(0);
    }

    private static List<Integer> range(int from, int to) {
        return IntStream.range(from, to).boxed().toList();
    }

    @Test
    void randomOffsetsReachTheFirstAndTheLastWindow() {
        PackedDocuments text = PackedDocuments.ofTokens(IntStream.range(0, 10).toArray(), 10);
        TextWindows windows = new TextWindows("training", text, 7, RandomKey.of(1));
        List<ScoredSequence> drawn = IntStream.range(0, 50)
                .mapToObj(i -> windows.draw(WindowOrder.RANDOM_OFFSETS, i))
                .distinct()
                .toList();
        assertThat(drawn).hasSize(3).allMatch(window -> window.length() == 8 && window.scoredCount() == 7);
    }

    @Test
    void everySequenceOfEveryStepHasItsDropoutKeyWhateverTheMicroBatches() {
        List<Long> whole = dropoutKeys(CONFIG.withMicroBatchTokens(64));
        assertThat(whole).hasSize(20 * 8).doesNotHaveDuplicates();
        assertThat(dropoutKeys(CONFIG.withMicroBatchTokens(16))).isEqualTo(whole);
    }

    private static List<Long> dropoutKeys(PretrainingConfig config) {
        BigramLearner learner = new BigramLearner(4);
        new PretrainingTrainer(learner, markov(300, 1), null, config).run();
        return learner.keys.stream().map(RandomKey::bits).toList();
    }

    @Test
    void underDropoutTooMicroBatchesChangeNothingButRounding() {
        double[] whole = lossesUnderDropout(64);
        for (int tokens : new int[] {1, 24}) {
            assertThat(lossesUnderDropout(tokens)).containsExactly(whole, within(1e-9));
        }
    }

    private static double[] lossesUnderDropout(int microBatchTokens) {
        PretrainingConfig config = PretrainingConfig.defaults(4, 7)
                .withBatchSize(8)
                .withEvaluation(0, 0)
                .withMicroBatchTokens(microBatchTokens);
        try (TransformerPolicy policy = TestModels.policy(TestModels.tiny().withDropout(0.3), 1)) {
            PretrainingTrainer trainer = new PretrainingTrainer(policy, markov(300, 1), null, config);
            return IntStream.range(0, 4)
                    .mapToDouble(i -> trainer.step().metric("pretraining/loss"))
                    .toArray();
        }
    }

    @Test
    void documentsHaveTheSeparatorOnBothSides() {
        PackedDocuments packed = PackedDocuments.of(LetterTokenizer.withEndOfText(), List.of("ab", "", "c"));
        assertThat(packed.slice(0, packed.length())).isEqualTo(TokenSequence.of(26, 0, 1, 26, 2, 26));
        assertThat(packed.documents()).isEqualTo(2);
        assertThat(packed.bytes()).isEqualTo(3);
        PackedDocuments plain = PackedDocuments.of(new LetterTokenizer(List.of()), List.of("abc"));
        assertThat(plain.slice(0, plain.length())).isEqualTo(TokenSequence.of(0, 1, 2));
    }

    @Test
    void heldOutTextIsMeasuredInNatsPerplexityAndBitsPerByte() {
        PackedDocuments text = PackedDocuments.of(LetterTokenizer.withEndOfText(), List.of("abcdefghijklmn"));
        PretrainingTrainer trainer =
                new PretrainingTrainer(new BigramLearner(27), text, text, CONFIG.withEvaluation(3, 1));
        Evaluation before = trainer.evaluate().orElseThrow();
        assertThat(before.loss()).isCloseTo(Math.log(27), within(1e-12));
        assertThat(before.perplexity()).isCloseTo(27, within(1e-9));
        assertThat(before.bitsPerByte().orElseThrow()).isCloseTo(Math.log(27) / Math.log(2) * 16 / 14, within(1e-9));
        assertThat(before.tokens()).isEqualTo(7);
        assertThat(trainer.step().metrics()).doesNotContainKey("pretraining/validation_loss");
        trainer.step();
        assertThat(trainer.step().metrics())
                .containsKeys(
                        "pretraining/validation_loss",
                        "pretraining/validation_perplexity",
                        "pretraining/validation_bits_per_byte");
    }

    @Test
    void aLossThatIsNoNumberStopsTheRunBeforeTheUpdate() {
        BigramLearner learner = new BigramLearner(4);
        learner.breaksAfter = 3;
        PretrainingTrainer trainer = new PretrainingTrainer(learner, markov(300, 1), null, CONFIG);
        double last = 0;
        for (int i = 0; i < 3; i++) {
            last = trainer.step().metric("pretraining/loss");
        }
        double[] before = learner.logits[1].clone();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("the loss of step 4 is NaN")
                .hasMessageContaining("the loss before was " + last + ", of step 3")
                .hasMessageContaining("Nothing was updated")
                .hasMessageContaining("lower learning rate");
        assertThat(learner.updates).isEqualTo(3);
        assertThat(learner.logits[1]).isEqualTo(before);
        assertThat(learner.gradient).isDeepEqualTo(new double[4][4]);
        assertThat(trainer.stepsDone()).isEqualTo(3);
    }

    @Test
    void aStepThatDivergedLeavesNoGradientInATransformer() {
        try (TransformerPolicy policy = TestModels.policy(TestModels.tiny(), 1)) {
            PretrainingTrainer trainer = new PretrainingTrainer(policy, markov(300, 1), null, CONFIG);
            policy.parameters().values().muli(1e4);
            assertThatThrownBy(trainer::step).isInstanceOf(DivergenceException.class);
            assertThat(policy.parameters().gradients().amaxNumber().doubleValue())
                    .isZero();
        }
    }

    @Test
    void aGradientThatIsNoNumberNamesTheStep() {
        BigramLearner learner = new BigramLearner(4);
        learner.gradient[0][0] = Double.POSITIVE_INFINITY;
        assertThatThrownBy(new PretrainingTrainer(learner, markov(300, 1), null, CONFIG)::step)
                .isInstanceOf(DivergenceException.class)
                .hasMessage("pretraining step 1: the gradient is not finite");
    }

    @Test
    void badTextIsRefusedWithItsRemedy() {
        LetterTokenizer tokenizer = LetterTokenizer.withEndOfText();
        assertThatThrownBy(() -> PackedDocuments.of(tokenizer, List.of("", "")))
                .hasMessageContaining("the corpus is empty");
        PackedDocuments oneLine = PackedDocuments.of(tokenizer, List.of("abc"));
        assertThatThrownBy(() -> new PretrainingTrainer(new BigramLearner(27), oneLine, null, CONFIG))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the training text has 5 tokens, fewer than one window of blockLength + 1 = 8")
                .hasMessageContaining("use more text or a smaller blockLength");
        assertThatThrownBy(() -> new PretrainingTrainer(new BigramLearner(4), markov(300, 1), oneLine, CONFIG))
                .hasMessageContaining("the held-out text has 5 tokens");
        assertThatThrownBy(() -> PackedDocuments.ofTokens(new int[] {0, 3, 4}, 4))
                .hasMessageContaining("token 4 at index 2 lies outside the vocabulary of 4 (ids 0 to 3)");
        assertThatThrownBy(() -> PackedDocuments.of(new LetterTokenizer(List.of()), List.of("a", "b")))
                .hasMessageContaining("several documents")
                .hasMessageContaining("<|endoftext|>");
    }

    @Test
    void aFinishedTrainerSaysSo() {
        PretrainingTrainer trainer = new PretrainingTrainer(new BigramLearner(4), markov(300, 1), null, CONFIG);
        trainer.run();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("pretraining has done all its 20 steps");
    }

    @Test
    void settingsOutsideTheirRangeAreNamed() {
        assertThatThrownBy(() -> PretrainingConfig.defaults(0, 8)).hasMessage("steps must be at least 1, got 0");
        assertThatThrownBy(() -> PretrainingConfig.defaults(1, 0)).hasMessage("blockLength must be at least 1, got 0");
        assertThatThrownBy(() -> CONFIG.withBatchSize(0)).hasMessage("batchSize must be at least 1, got 0");
        assertThatThrownBy(() -> LearningRatePlan.constant(Double.NaN)).hasMessageContaining("got NaN");
        assertThatThrownBy(() -> new LearningRatePlan(1, 2, 0)).hasMessage("finalFraction must lie in [0, 1], got 2.0");
    }

    /** nanoGPT's get_lr at its CPU setting. */
    @Test
    void thePlanOfTheNanoGptSettingIsNanoGpts() {
        var schedule = PretrainingConfig.nanoGptShakespeare().learningRate().over(2000);
        assertThat(schedule.at(0)).isCloseTo(1e-3 / 101, within(1e-15));
        assertThat(schedule.at(100)).isCloseTo(1e-3, within(1e-15));
        assertThat(schedule.at(1050)).isCloseTo(5.5e-4, within(1e-15));
        assertThat(schedule.at(2000)).isCloseTo(1e-4, within(1e-15));
    }
}
