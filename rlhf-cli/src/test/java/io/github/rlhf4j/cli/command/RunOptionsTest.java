package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.cli.recipe.Algorithm;
import io.github.rlhf4j.cli.recipe.RecipeConfig;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import io.github.rlhf4j.cli.recipe.Stage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What file and flags come to. */
class RunOptionsTest {

    @TempDir
    Path directory;

    private final RunOptions options = new RunOptions();

    /** A later stage may be started from elsewhere. */
    @Test
    void pathsOfFileAndFlagsAreAbsoluteFromTheWorkingDirectory() throws IOException {
        options.config = Files.writeString(
                directory.resolve("my.yaml"), "data: {text: text.txt, demonstrations: /all/of.jsonl}\n");
        options.settings = Map.of("data.preferences", "prefs.jsonl");
        options.prompts = "sub/prompts.txt";

        RecipeConfig.Data data = options.resolve(new RunDirectory(directory.resolve("run")), false)
                .data();

        assertThat(data.text()).isEqualTo(absolute("text.txt"));
        assertThat(data.demonstrations()).isEqualTo(absolute("/all/of.jsonl"));
        assertThat(data.preferences()).isEqualTo(absolute("prefs.jsonl"));
        assertThat(data.prompts()).isEqualTo(absolute("sub/prompts.txt"));
    }

    @Test
    void whatARunHasStoredStaysAsItIs() throws IOException {
        Files.writeString(directory.resolve("config.yaml"), "data: {text: text.txt}\n");
        options.resume = true;

        RecipeConfig resolved = options.resolve(new RunDirectory(directory), false);

        assertThat(resolved.data().text()).isEqualTo("text.txt");
        assertThat(resolved.data().prompts()).isNull();
    }

    /** Settings that fit a given model's defaults and not those of a run without one. */
    @Test
    void aGivenModelsDefaultsAreChosenBeforeAnySettingIsJudged() {
        options.model = "model.gguf";
        options.settings = Map.of(
                "lora.int8", "true", "ppo.maxNewTokens", "128", "comparisons.maxNewTokens", "128", "ppo.rollout", "16");
        RunDirectory none = new RunDirectory(directory.resolve("run"));

        RecipeConfig resolved = options.resolve(none, false);

        assertThat(resolved.lora().int8()).isTrue();
        assertThat(resolved.model().context()).isEqualTo(512);
        assertThat(resolved.pretraining().steps()).isZero();
        assertThat(resolved.base().model()).isEqualTo(absolute("model.gguf"));
    }

    @Test
    void whatAStageThatBeginsARunLeavesOutAFileCanAskFor() throws IOException {
        RunDirectory none = new RunDirectory(directory.resolve("run"));
        options.model = "model.gguf";
        options.beginAt(Stage.REWARD);
        assertThat(options.resolve(none, false).sft().epochs()).isZero();
        options.config = Files.writeString(directory.resolve("my.yaml"), "sft: {epochs: 2}\npretraining: {steps: 3}\n");
        assertThat(options.resolve(none, false).sft().epochs()).isEqualTo(2);

        options.beginAt(Stage.PRETRAINING);
        assertThat(options.resolve(none, false).pretraining().steps()).isEqualTo(3);
        options.config = null;
        assertThat(options.resolve(none, false).pretraining().steps()).isEqualTo(100);
    }

    /** A file can name the model too, and what continues a run adds its algorithms. */
    @Test
    void aFileCanNameTheModelAndAStageAddsAlgorithms() throws IOException {
        options.config = Files.writeString(directory.resolve("my.yaml"), "base: {model: /models/one.gguf}\n");
        options.algorithms = List.of(Algorithm.GRPO);
        RecipeConfig resolved = options.resolve(new RunDirectory(directory.resolve("run")), false);
        assertThat(resolved.base().model()).isEqualTo("/models/one.gguf");
        assertThat(resolved.lora().rank()).isEqualTo(16);
        assertThat(resolved.algorithms()).containsExactly(Algorithm.GRPO);

        Path run = Files.createDirectories(directory.resolve("begun"));
        Files.writeString(run.resolve("config.yaml"), "algorithms: [ppo]\n");
        options.config = null;
        assertThat(options.resolve(new RunDirectory(run), true).algorithms())
                .containsExactly(Algorithm.PPO, Algorithm.GRPO);
    }

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().toString();
    }
}
