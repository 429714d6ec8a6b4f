package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.report.ResultsTable;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.training.StopSignal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeTest {

    @TempDir
    static Path whole;

    @TempDir
    Path directory;

    @BeforeAll
    static void anUninterruptedRun() throws IOException {
        recipe(whole, RunMonitor.SILENT, new StopSignal(), false).run();
    }

    @Test
    void aWholeRunLeavesModelsResultsSamplesAndReport() throws IOException {
        RunRecords records = RunRecords.read(whole);

        assertThat(records.stages()).containsExactly("pretraining", "sft", "reward", "ppo");
        assertThat(records.results().measurements())
                .extracting(m -> m.path())
                .contains(
                        "reward/accuracy",
                        "gold/share_sft",
                        "gold/share_ppo",
                        "objective/kl",
                        "gold/share_best_of_2",
                        "gold/share_best_of_8",
                        "outputs/perplexity_ppo");
        assertThat(records.results().value("objective/kl")).isFinite();
        assertThat(records.results().measurements().get(0).label())
                .startsWith("reward model: accuracy on unseen comparisons without mistakes, n = ");
        assertThat(records.results().measurements()).allMatch(m -> m.atLeast() == null);
        assertThat(records.samples()).hasSize(6);
        assertThat(records.stage("ppo").get(0).metrics()).containsKeys("objective/kl", "gold/share", "gold/score");
        assertThat(whole.resolve("report.html")).content().contains("Loss of pretraining", "Loss of reward", "<svg");
        assertThat(whole.resolve("ppo/model")).isDirectoryContaining("glob:**/config.json");
    }

    @ParameterizedTest
    @EnumSource(names = {"PRETRAINING", "SFT", "REWARD", "PPO"})
    void aRunStoppedInAnyStageAndResumedEqualsTheUninterruptedOne(Stage stage) throws IOException {
        StopSignal stop = new StopSignal();

        assertThatThrownBy(() -> recipe(directory, TinyRun.stoppingIn(stage, stop), stop, false)
                        .run())
                .isInstanceOf(RunStoppedException.class)
                .hasMessage("stopped in " + stage.label() + " after step 1; all of it is saved in " + directory);
        assertThat(directory.resolve("report.html")).doesNotExist();
        recipe(directory, RunMonitor.SILENT, new StopSignal(), true).run();

        for (String file : List.of("metrics.jsonl", "samples.jsonl", "ppo/model/model.safetensors")) {
            assertThat(directory.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
    }

    @Test
    void aFinishedRunIsNotDoneAgain() throws IOException {
        RunMonitor failing = new RunMonitor() {
            @Override
            public void onStage(Stage stage, String detail) {
                throw new AssertionError(stage + " is done again");
            }
        };

        assertThat(recipe(whole, failing, new StopSignal(), true).run()).exists();
    }

    @Test
    void aRunIsNeitherOverwrittenNorMixedWithAnother() {
        assertThatThrownBy(() -> recipe(whole, RunMonitor.SILENT, new StopSignal(), false))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("--resume")
                .hasMessageContaining("--out");
        RecipeConfig other = ConfigFiles.set(TinyRun.config(), "ppo.iterations", "9");
        assertThatThrownBy(() -> new RunDirectory(whole).open(other, true))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ppo.iterations: 4, 9");
    }

    /** Blocks that are computed again give the same bits; stopped in SFT, so that a checkpoint is resumed with other passes. */
    @Test
    void otherSettingsOfMemoryResumeARunAndChangeNothingButRounding() throws IOException {
        StopSignal stop = new StopSignal();
        assertThatThrownBy(() -> recipe(directory, TinyRun.stoppingIn(Stage.SFT, stop), stop, false)
                        .run())
                .isInstanceOf(RunStoppedException.class);
        RecipeConfig lean =
                ConfigFiles.set(TinyRun.config(), Map.of("memory.recompute", "true", "memory.microBatchTokens", "200"));
        TinyRun.recipe(lean, directory, RunMonitor.SILENT, new StopSignal(), true)
                .run();

        assertThat(new RunDirectory(directory).storedConfig()).isEqualTo(lean);
        for (String stage : List.of("sft", "reward")) {
            Map<String, Double> there =
                    RunRecords.read(directory).stage(stage).get(1).metrics();
            Map<String, Double> here =
                    RunRecords.read(whole).stage(stage).get(1).metrics();
            assertThat(there.get(stage + "/loss")).isCloseTo(here.get(stage + "/loss"), within(1e-3));
        }
        assertThat(directory.resolve("sft/model/model.safetensors"))
                .binaryContent()
                .as("smaller passes add up in another order")
                .isNotEqualTo(Files.readAllBytes(whole.resolve("sft/model/model.safetensors")));
    }

    @Test
    void aStageWithoutItsPredecessorsSaysWhatToRunFirst() {
        assertThatThrownBy(() -> recipe(directory, RunMonitor.SILENT, new StopSignal(), false)
                        .runOnly(Stage.SFT))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("rlhf tokenizer --out");
    }

    @Test
    void anAlteredModelIsRefusedNamingTheFile() throws IOException {
        recipe(directory, RunMonitor.SILENT, new StopSignal(), false).runOnly(Stage.TOKENIZER);
        recipe(directory, RunMonitor.SILENT, new StopSignal(), true).runOnly(Stage.PRETRAINING);
        Path weights = directory.resolve("pretraining/model/model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 5] ^= 1;
        Files.write(weights, bytes);

        assertThatThrownBy(() -> recipe(directory, RunMonitor.SILENT, new StopSignal(), true)
                        .runOnly(Stage.SFT))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("model.safetensors");
    }

    @Test
    void theReportKnowsTheSecondsOfEveryStage() throws IOException {
        assertThat(RunRecords.read(whole).seconds().keySet())
                .containsExactly("tokenizer", "pretraining", "sft", "comparisons", "reward", "ppo", "evaluation");
    }

    @Test
    void aSharedTrunkWithPretrainingGradientsIsOneSettingEach() throws IOException {
        RecipeConfig both = ConfigFiles.set(
                ConfigFiles.set(TinyRun.config(), "ppo.sharedTrunk", "true"), "ppo.ptxCoefficient", "0.5");

        recipe(both, directory).run();

        RunRecords records = RunRecords.read(directory);
        assertThat(records.stage("ppo").get(0).metrics()).containsKey("ptx/loss");
        assertThat(records.results().value("objective/kl")).isFinite();
        assertThat(directory.resolve("ppo/model/model.safetensors"))
                .binaryContent()
                .isNotEqualTo(Files.readAllBytes(whole.resolve("ppo/model/model.safetensors")));
    }

    @Test
    void theUsersOwnDataGoesThroughEveryStageWithoutLabelerOrHiddenTaste() throws IOException {
        RecipeConfig own = ConfigFiles.set(ownData(40, "Say something about stars"), "evaluation.prompts", "48");
        List<String> said = new ArrayList<>();

        TinyRun.recipe(own, directory, saying(said), new StopSignal(), false).run();

        RunRecords records = RunRecords.read(directory);
        assertThat(records.stages()).containsExactly("pretraining", "sft", "reward", "ppo");
        assertThat(records.stage("ppo").get(0).metrics()).doesNotContainKey("gold/share");
        assertThat(records.results().measurements())
                .extracting(m -> m.path())
                .noneMatch(path -> path.startsWith("gold/"));
        assertThat(records.results().value("reward/score_ppo")).isFinite();
        int heldOut = RecipeData.load(own, () -> TinyRun.DICTIONARY)
                .prompts()
                .heldOut()
                .size();
        int compared = PreferenceFiles.read(new RunDirectory(directory).unseenComparisons())
                .size();
        String warning = "warning: measured on " + heldOut + " held-out prompts and " + compared + " comparisons";
        assertThat(heldOut).isLessThan(20);
        assertThat(said)
                .contains("evaluation: " + heldOut + " held-out prompts")
                .anyMatch(line -> line.startsWith(warning));
        assertThat(ResultsTable.of(records))
                .contains("reward model: accuracy on held-out preferences, n = " + compared + " ", warning);
        assertThat(directory.resolve("report.html"))
                .content()
                .contains("held-out preferences, n = " + compared, warning);
    }

    @ParameterizedTest
    @ValueSource(strings = {"prompts.jsonl", "preferences.jsonl"})
    void anOwnRowThatDoesNotFitTheWindowIsNamedBeforeAnythingTrains(String file) throws IOException {
        String longText = "why is the sky so very wide and blue ".repeat(20);
        RecipeConfig own = ownData(40, "Say something");
        Path broken = directory.resolve(file);
        Files.writeString(
                broken,
                "\n" + Files.readString(broken)
                        + (file.startsWith("prompts")
                                        ? "{\"prompt\":\"%s\"}\n"
                                        : "{\"prompt\":\"Say\",\"chosen\":\"%s\",\"rejected\":\"no\"}\n")
                                .formatted(longText));

        assertThatThrownBy(() -> recipe(own, directory.resolve("run")).run())
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(
                        file + ", row 41 (blank lines do not count)",
                        "tokens",
                        "model.context",
                        "why is the sky",
                        "Shorten or drop");
        assertThat(directory.resolve("run/pretraining")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource({"2, to train on", "40, held out"})
    void aTextThatIsLongInBytesAndShortInTokensIsFoundBeforeAnythingTrains(int documents, String part)
            throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < documents; i++) {
            text.append("na")
                    .append(" na".repeat(40))
                    .append("\n")
                    .append("a".repeat(i + 1))
                    .append("\n\n");
        }
        RecipeConfig own = ConfigFiles.set(
                TinyRun.config(),
                Map.of("data.text", write("na.txt", text), "heldOutShare", documents == 2 ? "0.5" : "0.0001"));

        assertThatThrownBy(() -> recipe(own, directory.resolve("run")).run())
                .isInstanceOf(InputException.class)
                .hasMessageMatching("(?s).*na.txt: the part " + part + " comes to \\d+ tokens, .*")
                .hasMessageContainingAll("model.context = 96", "Give more text", "--set model.context=");
        assertThat(directory.resolve("run/pretraining")).doesNotExist();
    }

    @Test
    void aWindowTooSmallForTheDictionarysQuestionsIsFoundBeforeAnythingTrains() throws IOException {
        RecipeConfig small = ConfigFiles.set(TinyRun.config(), "model.context", "30");
        Path refused = directory.resolve("refused");

        assertThatThrownBy(() -> recipe(small, refused).run())
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("model.context is 30", "too small", "answer of 16 tokens", "maxNewTokens")
                .satisfies(e -> {
                    Matcher needed =
                            Pattern.compile("--set model.context=(\\d+)").matcher(e.getMessage());
                    assertThat(needed.find()).isTrue();
                    RecipeConfig enough = ConfigFiles.set(small, "model.context", needed.group(1));
                    recipe(enough, directory.resolve("enough")).run();
                });
        assertThat(refused.resolve("pretraining")).doesNotExist();
    }

    @Test
    void demonstrationsThatAllLoseTheirAnswersAreNamedBeforeAnythingTrains() throws IOException {
        RecipeConfig own = ownData(40, "Say something about all of the many stars ".repeat(8));
        own = ConfigFiles.set(own, Map.of("data.preferences", "null", "data.prompts", "null"));
        RecipeConfig demonstrations = own;

        assertThatThrownBy(
                        () -> recipe(demonstrations, directory.resolve("run")).run())
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("demonstrations.jsonl", "none has its answer", "96 tokens of model.context");
        assertThat(directory.resolve("run/pretraining")).doesNotExist();
    }

    @Test
    void whyAStageFailedIsNotHiddenByTheFileOfSeconds() throws IOException {
        recipe(directory, RunMonitor.SILENT, new StopSignal(), false);
        Files.writeString(directory.resolve("tokenizer.json"), "no tokenizer");
        Files.writeString(directory.resolve("seconds.json"), "no seconds");

        assertThatThrownBy(() -> recipe(directory, RunMonitor.SILENT, new StopSignal(), true)
                        .runOnly(Stage.PRETRAINING))
                .hasMessageContaining("tokenizer.json")
                .satisfies(e -> assertThat(e.getSuppressed()).singleElement().satisfies(hidden -> assertThat(hidden)
                        .hasMessageContaining("seconds.json is broken")));
    }

    @Test
    void theStagesThatHaveManyToMeasureWarnOfNothing() {
        assertThat(EvaluationStage.warnings(20, 20)).isEmpty();
        assertThat(EvaluationStage.warnings(19, 1000))
                .singleElement()
                .asString()
                .contains("19 held-out prompts");
        assertThat(EvaluationStage.warnings(1000, 19))
                .singleElement()
                .asString()
                .contains("19 comparisons");
    }

    /** It samples anew: nothing of a stage without a trainer is saved, and the message does not say so. */
    @ParameterizedTest
    @EnumSource(names = {"COMPARISONS", "EVALUATION"})
    void aStageWithoutATrainerSaysThatItBeginsAgain(Stage stage) throws IOException {
        StopSignal stop = new StopSignal();
        RunMonitor stopping = new RunMonitor() {
            @Override
            public void onStage(Stage begun, String detail) {
                if (begun == stage) {
                    stop.request();
                }
            }
        };

        assertThatThrownBy(() -> recipe(directory, stopping, stop, false).run())
                .isInstanceOf(RunStoppedException.class)
                .hasMessage("stopped in " + stage.label()
                        + "; this stage begins again, the stages before it are saved in " + directory);
        recipe(directory, RunMonitor.SILENT, new StopSignal(), true).run();

        assertThat(directory.resolve("samples.jsonl")).hasSameBinaryContentAs(whole.resolve("samples.jsonl"));
    }

    /** Notes, and what is said when a stage begins. */
    private static RunMonitor saying(List<String> said) {
        return new RunMonitor() {
            @Override
            public void onStage(Stage stage, String detail) {
                said.add(stage.label() + ": " + detail);
            }

            @Override
            public void onNote(String text) {
                said.add(text);
            }
        };
    }

    /** Files of so many rows beside the run. */
    private RecipeConfig ownData(int rows, String prompt) throws IOException {
        StringBuilder text = new StringBuilder();
        StringBuilder demonstrations = new StringBuilder();
        StringBuilder preferences = new StringBuilder();
        StringBuilder prompts = new StringBuilder();
        for (int i = 0; i < rows; i++) {
            text.append("Star number %d shines over the town, and nobody counts them.\n\n".formatted(i));
            demonstrations.append("{\"prompt\":\"%s %d\",\"response\":\"It shines.\"}\n".formatted(prompt, i));
            preferences.append(
                    "{\"prompt\":\"%s %d\",\"chosen\":\"It shines.\",\"rejected\":\"No.\"}\n".formatted(prompt, i));
            prompts.append("{\"prompt\":\"%s %d\"}\n".formatted(prompt, i));
        }
        RecipeConfig own = TinyRun.config();
        own = ConfigFiles.set(own, "data.text", write("text.txt", text));
        own = ConfigFiles.set(own, "data.demonstrations", write("demonstrations.jsonl", demonstrations));
        own = ConfigFiles.set(own, "data.preferences", write("preferences.jsonl", preferences));
        return ConfigFiles.set(own, "data.prompts", write("prompts.jsonl", prompts));
    }

    private String write(String name, CharSequence content) throws IOException {
        return Files.writeString(directory.resolve(name), content).toString();
    }

    private static Recipe recipe(RecipeConfig config, Path out) throws IOException {
        return TinyRun.recipe(config, out, RunMonitor.SILENT, new StopSignal(), false);
    }

    private static Recipe recipe(Path out, RunMonitor monitor, StopSignal stop, boolean resume) throws IOException {
        return TinyRun.recipe(TinyRun.config(), out, monitor, stop, resume);
    }
}
