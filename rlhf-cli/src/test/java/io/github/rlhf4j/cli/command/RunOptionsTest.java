package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.cli.recipe.RecipeConfig;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    private static String absolute(String path) {
        return Path.of(path).toAbsolutePath().toString();
    }
}
