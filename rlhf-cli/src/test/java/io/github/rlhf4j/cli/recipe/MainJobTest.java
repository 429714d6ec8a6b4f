package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.training.StopSignal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Targets are the standard run's; a smaller one would only be told that it misses them. */
class MainJobTest {

    @Test
    void theStandardSettingsWithAnySeedBackendAndMemoryHaveTargets() {
        assertThat(isMainJob(RecipePresets.standard())).isTrue();
        assertThat(isMainJob(ConfigFiles.set(
                        RecipePresets.standard(),
                        Map.of("seed", "7", "backend", "cpu", "checkpointEvery", "9", "memory.recompute", "true"))))
                .isTrue();
    }

    @Test
    void anyOtherRunHasNone() {
        assertThat(isMainJob(RecipePresets.quick())).isFalse();
        assertThat(isMainJob(ConfigFiles.set(RecipePresets.standard(), "data.text", "mine.txt")))
                .isFalse();
        assertThat(isMainJob(ConfigFiles.set(RecipePresets.standard(), "ppo.iterations", "5")))
                .isFalse();
    }

    private static boolean isMainJob(RecipeConfig config) {
        return new Recipe(config, new RunDirectory(Path.of("none")), List::of, RunMonitor.SILENT, new StopSignal())
                .isMainJob();
    }
}
