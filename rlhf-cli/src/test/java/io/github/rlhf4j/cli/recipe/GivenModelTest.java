package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.chat.ChatFormats;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The recipe on a model that exists already, a LLaMA that knows no turns, with adapters and with all weights. */
class GivenModelTest {

    @TempDir
    static Path models;

    @TempDir
    static Path whole;

    @TempDir
    Path directory;

    private static Path llama;

    @BeforeAll
    static void aModelAndAnUninterruptedRunOnIt() throws IOException {
        var tokenizer = new BytePairTrainer(300)
                .withSpecialTokens("<|endoftext|>")
                .train(TinyRun.DICTIONARY.stream()
                        .flatMap(entry -> entry.documents().stream())
                        .toList())
                .tokenizer();
        llama = models.resolve("llama");
        TransformerConfig shape = TransformerConfig.llama(tokenizer.vocabularySize(), 128, 16, 2, 2);
        try (TransformerPolicy policy = TransformerPolicy.create(shape, tokenizer, AdamWConfig.gpt3(), 5)) {
            policy.save(llama);
        }
        TinyRun.recipe(config(), whole, RunMonitor.SILENT, new StopSignal(), false)
                .run();
    }

    private static RecipeConfig config(String... settings) {
        List<String> all = new ArrayList<>(List.of(
                "base.model", quoted(llama), "pretraining.steps", "0", "lora.rank", "2", "model.vocabulary", "262"));
        all.addAll(List.of(settings));
        Map<String, String> changes = new LinkedHashMap<>();
        for (int i = 0; i < all.size(); i += 2) {
            changes.put(all.get(i), all.get(i + 1));
        }
        return ConfigFiles.set(TinyRun.config(), changes);
    }

    private static String quoted(Path path) {
        return "\"" + path + "\"";
    }

    @Test
    void everyStageLeavesAModelThatAnswersByTheSameTemplateAndItsAdapters() throws IOException {
        RunRecords records = RunRecords.read(whole);
        assertThat(records.stages()).containsExactly("sft", "reward", "ppo");
        assertThat(records.results().value("objective/kl")).isFinite();
        assertThat(whole.resolve("pretraining/model")).doesNotExist();
        for (String stage : List.of("sft", "ppo")) {
            Path model = whole.resolve(stage + "/model");
            ModelSource files = ModelSource.open(model);
            assertThat(ChatFormats.of(files, files.tokenizer()).stopTokens())
                    .containsExactly(files.tokenizer().specialToken("<|endoftext|>"));
        }
        assertThat(ModelSource.open(whole.resolve("reward/model")).hasScoreHead())
                .isTrue();
    }

    /** The adapter is what a stage adds to the model before it. */
    @Test
    void theAdaptersOnTheirBaseAreTheStagesModel() throws IOException {
        assertSame(llama, whole.resolve("sft"));
        assertSame(whole.resolve("sft/model"), whole.resolve("ppo"));
    }

    private static void assertSame(Path base, Path stage) throws IOException {
        TokenSequence text = TokenSequence.of(5, 6, 7, 8, 9, 10, 11, 12);
        try (TransformerPolicy before = TransformerPolicy.load(base, AdamWConfig.gpt3());
                TransformerPolicy adapted = before.loadLora(stage.resolve("adapter"), AdamWConfig.gpt3());
                TransformerPolicy merged = TransformerPolicy.load(stage.resolve("model"), AdamWConfig.gpt3())) {
            double expected = logProb(merged, text);
            assertThat(logProb(adapted, text)).isCloseTo(expected, within(1e-4));
            assertThat(logProb(before, text)).isNotCloseTo(expected, within(1e-3));
        }
    }

    private static double logProb(TransformerPolicy policy, TokenSequence text) {
        var sequence = ScoredSequence.of(text.slice(0, 1), text.slice(1, text.length()));
        return policy.score(new SequenceBatch(List.of(sequence))).sequenceLogProb(0);
    }

    @ParameterizedTest
    @EnumSource(names = {"SFT", "REWARD", "PPO"})
    void aRunStoppedInAnyStageAndResumedEqualsTheUninterruptedOne(Stage stage) throws IOException {
        StopSignal stop = new StopSignal();
        assertThatThrownBy(() -> TinyRun.recipe(config(), directory, TinyRun.stoppingIn(stage, stop), stop, false)
                        .run())
                .isInstanceOf(RunStoppedException.class);
        TinyRun.recipe(config(), directory, RunMonitor.SILENT, new StopSignal(), true)
                .run();

        for (String file : List.of(
                "metrics.jsonl",
                "samples.jsonl",
                "ppo/model/model.safetensors",
                "ppo/adapter/adapter_model.safetensors")) {
            assertThat(directory.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
    }

    @ParameterizedTest
    @CsvSource({"false, 0, false", "true, 0, false", "true, 2, false", "false, 2, true"})
    void allWeightsASharedTrunkAndABaseOfBytesAreOneSettingEach(boolean sharedTrunk, int rank, boolean int8)
            throws IOException {
        RecipeConfig config = config(
                "lora.rank",
                String.valueOf(rank),
                "lora.int8",
                String.valueOf(int8),
                "ppo.sharedTrunk",
                String.valueOf(sharedTrunk),
                "ppo.klBudget",
                "5");
        TinyRun.recipe(config, directory, RunMonitor.SILENT, new StopSignal(), false)
                .run();

        assertThat(RunRecords.read(directory).results().value("objective/kl")).isFinite();
        assertThat(Files.exists(directory.resolve("sft/adapter"))).isEqualTo(rank > 0);
        if (int8) { // the model is the adapters on the weights as they were, not rounded
            assertSame(llama, directory.resolve("sft"));
            assertSame(directory.resolve("sft/model"), directory.resolve("ppo"));
        }
        assertThat(directory.resolve("ppo/model/model.safetensors"))
                .binaryContent()
                .isNotEqualTo(Files.readAllBytes(whole.resolve("ppo/model/model.safetensors")));
    }

    @Test
    void pretrainingGoesOnWhereItsStepsAreNotZero() throws IOException {
        RecipeConfig config = config("pretraining.steps", "3", "pretraining.zLoss", "1e-4", "lora.rank", "0");
        TinyRun.recipe(config, directory, RunMonitor.SILENT, new StopSignal(), false)
                .runOnly(Stage.PRETRAINING);

        assertThat(ModelSource.open(directory.resolve("pretraining/model"))
                        .config()
                        .contextLength())
                .isEqualTo(128);
        Map<String, Double> first =
                RunRecords.read(directory).stage("pretraining").get(0).metrics();
        assertThat(first.get("pretraining/loss")).isPositive();
        assertThat(first.get("pretraining/z_loss")).isPositive();
    }

    /** PPO needs no comparisons where the reward model is given, and fine-tuning nothing where the model answers already. */
    @Test
    void aRewardModelThatExistsTakesThePlaceOfOneThatIsLearned() throws IOException {
        RecipeConfig config = config("base.rewardModel", quoted(whole.resolve("reward/model")), "sft.epochs", "0");
        Recipe recipe = TinyRun.recipe(config, directory, RunMonitor.SILENT, new StopSignal(), false);
        recipe.runOnly(Stage.PPO);

        assertThat(directory.resolve("ppo/model/model.safetensors")).exists();
        assertThat(directory.resolve("sft")).doesNotExist();
        assertThat(directory.resolve("comparisons.jsonl")).doesNotExist();
        assertThatThrownBy(() -> recipe.runOnly(Stage.REWARD))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("nothing to do")
                .hasMessageContaining("reward/model");
        assertThatThrownBy(() -> recipe.runOnly(Stage.TOKENIZER)).hasMessageContaining("brings its tokenizer");
    }

    @Test
    void ownPreferencesAreDividedOnTheWayToTheRewardModel() throws IOException {
        Path rows = directory.resolve("rows.jsonl");
        try (Stream<Integer> numbers = Stream.iterate(0, i -> i + 1).limit(40)) {
            Files.write(rows, numbers.map(GivenModelTest::row).toList());
        }
        RecipeConfig config = config("data.preferences", quoted(rows), "data.dropTooLong", "true", "sft.epochs", "0");
        List<String> notes = new ArrayList<>();
        RunMonitor monitor = new RunMonitor() {
            @Override
            public void onNote(String text) {
                notes.add(text);
            }
        };
        TinyRun.recipe(config, directory.resolve("run"), monitor, new StopSignal(), false)
                .runOnly(Stage.REWARD);

        assertThat(directory.resolve("run/reward/model")).exists();
        assertThat(notes).anyMatch(note -> note.contains("longer than model.context (96) has room for, and left out"));
        RecipeConfig strict = config("data.preferences", quoted(rows), "sft.epochs", "0");
        assertThatThrownBy(() -> TinyRun.recipe(
                                strict, directory.resolve("strict"), RunMonitor.SILENT, new StopSignal(), false)
                        .runOnly(Stage.REWARD))
                .hasMessageContaining("data.dropTooLong=true");
    }

    private static String row(int i) {
        String text = i % 4 == 0 ? "far too long ".repeat(40) : "short";
        return "{\"prompt\": \"question " + i + "\", \"chosen\": \"" + text + " " + i + "\", \"rejected\": \"no\"}";
    }

    /** DPO needs no reward model: neither to train nor to be looked at. */
    @Test
    void dpoGoesFromPreferencesToAModelWithoutARewardModel() throws IOException {
        Path rows = directory.resolve("rows.jsonl");
        try (Stream<Integer> numbers = Stream.iterate(0, i -> i + 1).limit(40)) {
            Files.write(rows, numbers.map(GivenModelTest::row).toList());
        }
        RecipeConfig config = config(
                "data.preferences", quoted(rows), "data.dropTooLong", "true", "sft.epochs", "0", "algorithms", "[dpo]");
        Path run = directory.resolve("run");
        TinyRun.recipe(config, run, RunMonitor.SILENT, new StopSignal(), false).runOnly(Stage.PPO);

        assertThat(run.resolve("dpo/model/model.safetensors")).exists();
        assertThat(run.resolve("reward")).doesNotExist();
        assertThat(RunRecords.read(run).stage("dpo").get(0).metrics())
                .containsKeys("held_out/kl", "dpo/accuracy")
                .doesNotContainKey("held_out/score");
    }

    @Test
    void aBaseModelThatChangedIsNotGoneOnWith() throws IOException {
        Path copy = Files.createDirectory(directory.resolve("copy"));
        try (Stream<Path> files = Files.list(llama)) {
            for (Path file : files.toList()) {
                Files.copy(file, copy.resolve(file.getFileName()));
            }
        }
        RecipeConfig config = config("base.model", quoted(copy));
        Path run = directory.resolve("run");
        TinyRun.recipe(config, run, RunMonitor.SILENT, new StopSignal(), false).runOnly(Stage.SFT);
        Files.writeString(copy.resolve("generation_config.json"), " ", StandardOpenOption.APPEND);

        assertThatThrownBy(() -> TinyRun.recipe(config, run, RunMonitor.SILENT, new StopSignal(), true)
                        .runOnly(Stage.COMPARISONS))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("has changed since (" + copy.resolve("generation_config.json") + ")");
    }

    @Test
    void whatCannotBeIsFoundBeforeAnythingTrains() throws IOException {
        assertThatThrownBy(() -> prepare(config("model.context", "256")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("attends to 128 tokens")
                .hasMessageContaining("--set model.context=128");
        assertThatThrownBy(() -> prepare(config("base.rewardModel", quoted(directory))))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("config.json");
        assertThatThrownBy(() -> prepare(config("base.rewardModel", quoted(llama))))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("is a language model");
        assertThatThrownBy(() -> prepare(config("lora.targets", "[query_key_value]")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("PEFT has no layer for QUERY_KEY_VALUE in Llama");
        Path reward = whole.resolve("reward/model");
        assertThatThrownBy(() -> prepare(config("base.model", quoted(reward))))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("is a reward model, which cannot write");
        Path template = Files.writeString(directory.resolve("template.jinja"), "{{ messages[0].content }}");
        assertThatThrownBy(() -> prepare(config("base.chatTemplate", quoted(template))))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("cannot be used")
                .hasMessageContaining("--chat-template");
        assertThatThrownBy(() -> ConfigFiles.set(TinyRun.config(), "sft.epochs", "0"))
                .hasMessageContaining("base.model");
        assertThatThrownBy(() -> config("lora.targets", "[query, query_key_value]"))
                .hasMessageContaining("lora.targets");
        assertThatThrownBy(() -> config("lora.targets", "everything"))
                .hasMessageContaining("a list, [first, second], each query or key");
    }

    private void prepare(RecipeConfig config) {
        new Recipe(
                        config,
                        new RunDirectory(directory.resolve("none")),
                        () -> TinyRun.DICTIONARY,
                        RunMonitor.SILENT,
                        new StopSignal())
                .prepare();
    }
}
