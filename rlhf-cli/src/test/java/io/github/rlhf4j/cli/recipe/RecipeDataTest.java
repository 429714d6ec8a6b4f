package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.cli.InputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeDataTest {

    @TempDir
    Path directory;

    /** Of two prompts one is held out, and over the seeds each of them is. */
    @Test
    void aPromptThatAsksForNoWordIsFoundWhereverItFalls() throws IOException {
        Path prompts = directory.resolve("prompts.txt");
        Files.writeString(prompts, "What does star mean?\nWrite a poem\n");
        for (int seed = 1; seed <= 8; seed++) {
            Map<String, String> settings = new LinkedHashMap<>();
            settings.put("seed", String.valueOf(seed));
            settings.put("data.prompts", prompts.toString());
            RecipeConfig config = ConfigFiles.set(TinyRun.config(), settings);

            assertThatThrownBy(() -> RecipeData.load(config, () -> TinyRun.DICTIONARY))
                    .as("seed " + seed)
                    .isInstanceOf(InputException.class)
                    .hasMessageContainingAll("prompts.txt", "\"Write a poem\"", "--preferences");
        }
    }
}
