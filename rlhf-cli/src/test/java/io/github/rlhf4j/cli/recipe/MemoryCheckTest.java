package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.transformer.MemoryLimit;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.SftConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryCheckTest {

    private static final long MIB = 1 << 20;

    /** GPT-2 small with a window of 512. */
    private static final RecipeConfig LARGE = ConfigFiles.set(
            RecipePresets.standard(),
            Map.of(
                    "model.width", "768",
                    "model.layers", "12",
                    "model.heads", "12",
                    "model.context", "512",
                    "model.vocabulary", "50257"));

    private static MemoryCheck check(RecipeConfig config, long native_, long heap) {
        return new MemoryCheck(stages(config), new MemoryLimit(native_, "a test"), new MemoryLimit(heap, "a heap"));
    }

    @ParameterizedTest
    @EnumSource
    void theStandardRunFitsTheLimitsOfTheLauncher(Stage stage) {
        assertThatCode(() -> check(RecipePresets.standard(), 3L << 30, 2L << 30).requireFits(List.of(stage)))
                .doesNotThrowAnyException();
    }

    @Test
    void aLineSaysWhatAStageTakesBesideWhatItMay() {
        MemoryCheck check = check(RecipePresets.standard(), 3L << 30, 2L << 30);

        assertThat(check.line(Stage.PRETRAINING))
                .startsWith("memory: about ")
                .contains(" MiB of 3.0 GiB native for pretraining (weights 5.1 MiB, gradients 5.1 MiB, Adam's moments ")
                .doesNotContain("heap");
        assertThat(check.line(Stage.PPO))
                .contains(" of 2.0 GiB heap besides the data (key-value cache ", "packed weights 5.0 MiB");
    }

    @Test
    void whatFitsWithoutAMarginOnlyIsRefused() {
        long foretold = stages(LARGE).of(Stage.PRETRAINING).offHeap();
        long needed = (long) Math.ceil(MemoryCheck.MARGIN * foretold);

        assertThatCode(() -> check(LARGE, needed, MIB).requireFits(List.of(Stage.PRETRAINING)))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> check(LARGE, needed - 1, MIB).requireFits(List.of(Stage.PRETRAINING)))
                .hasMessageContaining("and a margin of 20 %) and may take");
    }

    /** What the message asks for must be enough. */
    @Test
    void theLimitThatARefusalNamesSuffices() {
        String message = catchThrowable(() -> check(LARGE, 3L << 30, 2L << 30).requireFits(List.of(Stage.PRETRAINING)))
                .getMessage();
        Matcher gibibytes = Pattern.compile("RLHF_MEMORY=(\\d+)g").matcher(message);

        assertThat(gibibytes.find()).as(message).isTrue();
        assertThatCode(() -> check(LARGE, Long.parseLong(gibibytes.group(1)) << 30, MIB)
                        .requireFits(List.of(Stage.PRETRAINING)))
                .doesNotThrowAnyException();
    }

    @Test
    void whatSavesMostIsNamedFirstWithWhatIsNeededThen() {
        assertThatThrownBy(() -> check(LARGE, 3L << 30, 2L << 30).requireFits(List.of(Stage.PRETRAINING)))
                .isInstanceOf(InputException.class)
                .hasMessageMatching("pretraining needs about \\d\\.\\d GiB of native memory \\(weights .*"
                        + "may take 3\\.0 GiB, by a test\\. Need less, what saves most first; the same model learns by: "
                        + "memory.microBatchTokens=512 \\(2\\.5 GiB\\), memory.recompute=true \\(2\\.8 GiB\\); another by: "
                        + "model.width=384 \\(.*enough for this stage: RLHF_MEMORY=5g in the environment of rlhf");
    }

    @Test
    void settingsThatWouldSaveNothingAreNotNamed() {
        RecipeConfig lean =
                ConfigFiles.set(LARGE, Map.of("memory.recompute", "true", "memory.microBatchTokens", "512"));

        assertThatThrownBy(() -> check(lean, MIB, MIB).requireFits(List.of(Stage.PRETRAINING)))
                .hasMessageContainingAll("the same model learns by: nothing;", "model.width=384")
                .hasMessageNotContainingAny("memory.", "pretraining.batch");
    }

    @Test
    void aHeapThatCannotHoldWhatDecodingKeepsIsRefused() {
        assertThatThrownBy(() -> check(LARGE, 64L << 30, 100 * MIB).requireFits(List.of(Stage.COMPARISONS)))
                .hasMessageContainingAll("comparisons needs", "of heap (key-value cache", "a heap", "RLHF_HEAP=");
        assertThatCode(() -> check(LARGE, 64L << 30, 100 * MIB).requireFits(List.of(Stage.PRETRAINING)))
                .doesNotThrowAnyException();
    }

    /** One refusal whose advice suffices for the whole run, whichever stages lack native memory and heap. */
    @Test
    void theLimitsThatARefusalNamesSufficeForAllStages() {
        RecipeConfig wide = ConfigFiles.set(RecipePresets.standard(), "model.width", "4096");
        List<Stage> all = List.of(Stage.values());
        String message = catchThrowable(() -> check(wide, 3L << 30, 2L << 30).requireFits(all))
                .getMessage();
        Matcher limits = Pattern.compile("all stages: RLHF_MEMORY=(\\d+)g RLHF_HEAP=(\\d+)g")
                .matcher(message);

        assertThat(message).contains("ppo needs about", " of native memory ", " of heap ");
        assertThat(limits.find()).as(message).isTrue();
        long memory = Long.parseLong(limits.group(1)) << 30;
        long heap = Long.parseLong(limits.group(2)) << 30;
        assertThatCode(() -> check(wide, memory, heap).requireFits(all)).doesNotThrowAnyException();
        assertThatThrownBy(() -> check(wide, memory - (1L << 30), heap).requireFits(all))
                .hasMessageContaining("RLHF_MEMORY=" + limits.group(1) + "g in");
        assertThatThrownBy(() -> check(wide, memory, heap - (1L << 30)).requireFits(all))
                .hasMessageContaining("RLHF_HEAP=" + limits.group(2) + "g in");
    }

    @Test
    void aRefusalSaysWhenNoSingleSettingSuffices() {
        RecipeConfig wide = ConfigFiles.set(RecipePresets.standard(), "model.width", "4096");
        List<Stage> all = List.of(Stage.values());

        assertThatThrownBy(() -> check(wide, 3L << 30, 2L << 30).requireFits(all))
                .hasMessageContaining("No single setting suffices.");
        assertThatThrownBy(() -> check(LARGE, 3L << 30, 2L << 30).requireFits(List.of(Stage.PRETRAINING)))
                .hasMessageNotContaining("No single setting");
    }

    /** What is foretold is a sum and product of settings; the largest of each must not overflow. */
    @ParameterizedTest
    @EnumSource(names = "TOKENIZER", mode = EnumSource.Mode.EXCLUDE)
    void theLargestSettingsAreForetoldMoreThanAnyMachineHas(Stage stage) {
        RecipeConfig largest = ConfigFiles.set(
                RecipePresets.standard(),
                Map.of(
                        "model.vocabulary", "1000000",
                        "model.width", "16384",
                        "model.layers", "256",
                        "model.heads", "256",
                        "model.context", "32768",
                        "memory.microBatchTokens", "16777216",
                        "ppo.rollout", "512",
                        "ppo.minibatch", "512",
                        "evaluation.prompts", "1000000",
                        "evaluation.bestOf", "1024"));
        long weights = 4L * 256 * 12 * 16384 * 16384;

        assertThat(new StageMemory(largest, 1024, null).of(stage).offHeap()).isBetween(weights, 1L << 62);
    }

    /** A machine's memory says nothing of its GPU's; the configuration may be AUTO. */
    @Test
    void whatIsComputedOnAGpuIsNotRefused() {
        RecipeConfig auto = ConfigFiles.set(LARGE, Map.of("model.width", "7680", "backend", "auto"));
        Recipe recipe = new Recipe(
                auto, new RunDirectory(Path.of("none")), () -> TinyRun.DICTIONARY, RunMonitor.SILENT, new StopSignal());
        List<Stage> stages = List.of(Stage.PRETRAINING);

        assertThatCode(() -> recipe.requireMemory(stages, ComputeBackend.CUDA)).doesNotThrowAnyException();
        assertThatThrownBy(() -> recipe.requireMemory(stages, ComputeBackend.CPU))
                .hasMessageContaining("pretraining needs about");
        assertThatThrownBy(() -> recipe.requireMemory(stages)).hasMessageContaining("pretraining needs about");
    }

    /** What the library's configurations say, given as a setting, changes nothing. */
    @Test
    void aPassIsByDefaultAsLargeAsTheLibrarysConfigurationSays() {
        RecipeConfig wide =
                ConfigFiles.set(LARGE, Map.of("pretraining.batch", "64", "sft.batch", "64", "ppo.minibatch", "64"));
        int pretraining = PretrainingConfig.defaults(10, 8).microBatchTokens();
        int sft = SftConfig.defaults(2, 8).microBatchTokens();
        int reward = RewardModelConfig.instructGpt(100, 1).microBatchTokens();
        int ppo = PpoConfig.of(3, new BatchPlan(4, 2), Sampling.exact(5, 1, Set.of()), 1)
                .microBatchTokens();

        Map.of(Stage.PRETRAINING, pretraining, Stage.SFT, sft, Stage.REWARD, reward, Stage.PPO, ppo)
                .forEach((stage, tokens) -> {
                    assertThat(withPass(wide, tokens).of(stage))
                            .isEqualTo(stages(wide).of(stage));
                    assertThat(withPass(wide, tokens / 2).of(stage))
                            .isNotEqualTo(stages(wide).of(stage));
                });
    }

    private static StageMemory withPass(RecipeConfig config, int tokens) {
        return stages(ConfigFiles.set(config, "memory.microBatchTokens", String.valueOf(tokens)));
    }

    private static StageMemory stages(RecipeConfig config) {
        return new StageMemory(config, config.comparisons().samplesPerPrompt(), null);
    }

    @Test
    void ppoHoldsTheMostModels() {
        assertThat(check(LARGE, MIB, MIB).largest(List.of(Stage.values()))).isEqualTo(Stage.PPO);
    }
}
