package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.cli.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigFilesTest {

    @TempDir
    Path directory;

    @Test
    void whatIsWrittenReadsBack() throws IOException {
        assertThat(read(ConfigFiles.write(RecipePresets.quick()))).isEqualTo(RecipePresets.quick());
    }

    @Test
    void aFileChangesWhatItNamesAndNothingElse() throws IOException {
        RecipeConfig changed = read("seed: 7\nppo:\n  iterations: 3\n  klCoefficient: 1\ndata:\n  text: my.txt\n");

        assertThat(ConfigFiles.differences(RecipePresets.standard(), changed))
                .containsExactly(
                        "seed: 1, 7",
                        "data.text: null, \"my.txt\"",
                        "ppo.iterations: " + RecipePresets.standard().ppo().iterations() + ", 3",
                        "ppo.klCoefficient: " + RecipePresets.standard().ppo().klCoefficient() + ", 1.0");
    }

    @Test
    void anEmptyFileChangesNothing() throws IOException {
        assertThat(read("# nothing\n")).isEqualTo(RecipePresets.standard());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sed: 1 | there is no setting sed; did you mean seed or sft?",
                "ppo: {learning_rate: 1} | there is no setting ppo.learning_rate; did you mean ppo.learningRate",
                "ppo: {zzzzzz: 1} | ppo. has iterations, rollout",
                "ppo: 3 | ppo is a section with the keys [iterations,",
                "seed: many | the value of seed does not fit: it must be a whole number of at most 64 bits, got \"many\"",
                "ppo: {rollout: 2.5} | the value of ppo.rollout does not fit: it must be a whole number up to 2147483647, got 2.5",
                "ppo: {rollout: 99999999999} | the value of ppo.rollout does not fit: it must be a whole number up to",
                "ppo: {klTarget: [1]} | the value of ppo.klTarget does not fit: it must be a number, got [1]",
                "ppo: {sharedTrunk: maybe} | it must be true or false, got \"maybe\"",
                "data: {text: {a: 1}} | the value of data.text does not fit: it must be a text, got {\"a\":1}",
                "ppo: {rollout: 8, rollout: 16} | line 1 is not valid YAML: Duplicate field 'rollout'",
                "ppo: {rollout: 33} | ppo.minibatch must divide ppo.rollout",
                "model: {width: 101} | model.width must be a multiple of heads, got 101",
                "memory: {microBatchTokens: -1} | memory.microBatchTokens must be ≥ 0 (0 takes each stage's own), got -1",
                "memory: {recompute: maybe} | it must be true or false, got \"maybe\"",
                "seed: | seed has no value",
                "[1, 2] | must hold keys and values",
                "seed: [1 | line 1 is not valid YAML",
                "backend: gpu | the value of backend does not fit: it must be auto or cpu or cuda, got \"gpu\""
            })
    void aWrongFileIsRefusedNamingTheKey(String yaml, String message) {
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(message)
                .hasMessageNotContainingAny("com.fasterxml", "java.lang", "deserialize", "token");
    }

    @Test
    void whatIsNotYamlIsNamedByItsLineAndWhatIsWrongThere() {
        assertThatThrownBy(() -> read("ppo:\n\titerations: 3\n"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll(
                        "config.yaml, line 2 is not valid YAML", "Do not use \\t(TAB) for indentation");
        assertThatThrownBy(() -> read("seed: 1\nppo: {epochs: 1\ndata: {}\n"))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("line 3 is not valid YAML", "expected ',' or '}'");
    }

    @Test
    void aFileThatIsNoTextIsSaidToBeNone() throws IOException {
        Path binary = Files.write(directory.resolve("model.bin"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});

        assertThatThrownBy(() -> ConfigFiles.read(binary, RecipePresets.standard()))
                .isInstanceOf(InputException.class)
                .hasMessageContainingAll("model.bin", "it is not a text in UTF-8");
    }

    @Test
    void aMissingFileIsNamed() {
        Path missing = directory.resolve("none.yaml");

        assertThatThrownBy(() -> ConfigFiles.read(missing, RecipePresets.standard()))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("none.yaml")
                .hasMessageContaining("there is no such file");
    }

    @Test
    void aFlagSetsOneKey() {
        assertThat(ConfigFiles.set(RecipePresets.standard(), "ppo.epochs", "3")
                        .ppo()
                        .epochs())
                .isEqualTo(3);
        assertThatThrownBy(() -> ConfigFiles.set(RecipePresets.standard(), "ppo.epoch", "3"))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("did you mean ppo.epochs");
    }

    @Test
    void settingsThatFitTogetherAreTakenTogetherInAnyOrder() throws IOException {
        Path file = Files.writeString(directory.resolve("half.yaml"), "ppo: {rollout: 40}\n");

        for (RecipeConfig changed : List.of(
                ConfigFiles.set(RecipePresets.quick(), settings("ppo.rollout", "40", "ppo.minibatch", "20")),
                ConfigFiles.set(RecipePresets.quick(), settings("ppo.minibatch", "20", "ppo.rollout", "40")),
                ConfigFiles.change(RecipePresets.quick(), file, Map.of("ppo.minibatch", "20")))) {
            assertThat(changed.ppo().rollout()).isEqualTo(40);
            assertThat(changed.ppo().minibatch()).isEqualTo(20);
        }
    }

    @Test
    void settingsThatDoNotFitTogetherAreRefusedNamingThem() {
        assertThatThrownBy(() ->
                        ConfigFiles.set(RecipePresets.quick(), settings("ppo.rollout", "40", "ppo.minibatch", "30")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("--set ppo.rollout, --set ppo.minibatch: ppo.minibatch must divide ppo.rollout");
        assertThatThrownBy(() ->
                        ConfigFiles.set(RecipePresets.quick(), settings("ppo.rollout", "40", "ppo.minibach", "20")))
                .isInstanceOf(InputException.class)
                .hasMessageContaining(
                        "--set ppo.minibach: there is no setting ppo.minibach; did you mean ppo.minibatch");
        assertThatThrownBy(() -> ConfigFiles.set(RecipePresets.quick(), "ppo.rollout", ""))
                .isInstanceOf(InputException.class)
                .hasMessageContaining("ppo.rollout has no value");
    }

    private static Map<String, String> settings(String... keysAndValues) {
        Map<String, String> settings = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
        return settings;
    }

    private RecipeConfig read(String yaml) throws IOException {
        Path file = directory.resolve("config.yaml");
        Files.writeString(file, yaml);
        return ConfigFiles.read(file, RecipePresets.standard());
    }
}
