package io.github.rlhf4j.cli.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.cli.report.HeldOutPoint;
import io.github.rlhf4j.cli.report.ResultsTable;
import io.github.rlhf4j.cli.report.RunRecords;
import io.github.rlhf4j.core.training.StopSignal;
import io.github.rlhf4j.core.training.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One run that optimises the supervised policy by every algorithm there is. */
class AlgorithmsTest {

    private static final RecipeConfig ALL = ConfigFiles.set(
            TinyRun.config(),
            "algorithms",
            Arrays.stream(Algorithm.values()).map(Algorithm::label).collect(Collectors.joining(", ", "[", "]")));

    @TempDir
    static Path whole;

    @TempDir
    Path directory;

    @BeforeAll
    static void anUninterruptedRun() throws IOException {
        TinyRun.recipe(ALL, whole, RunMonitor.SILENT, new StopSignal(), false).run();
    }

    @Test
    void eachLeavesAModelOfItsOwnAndIsMeasuredOnHeldOutPrompts() throws IOException {
        RunRecords records = RunRecords.read(whole);
        List<byte[]> models = new ArrayList<>();
        for (Algorithm algorithm : Algorithm.values()) {
            Path model = new RunDirectory(whole).model(algorithm).resolve("model.safetensors");
            models.add(Files.readAllBytes(model));
            assertThat(records.stage(algorithm.label())).as(algorithm.label()).isNotEmpty();
            List<HeldOutPoint> points = records.heldOut().stream()
                    .filter(point -> point.algorithm().equals(algorithm.label()))
                    .toList();
            assertThat(points).hasSizeGreaterThanOrEqualTo(2).allMatch(point -> Double.isFinite(point.share()));
            assertThat(points.get(points.size() - 1).seconds())
                    .isGreaterThan(points.get(0).seconds());
            assertThat(records.results().value("gold/share_" + algorithm.label()))
                    .isBetween(0.0, 1.0);
        }
        assertThat(models.stream().map(Arrays::hashCode).distinct()).hasSameSizeAs(models);
        assertThat(ResultsTable.of(records)).contains("at equal KL", "at equal time", "online_dpo");
        assertThat(whole.resolve("report.html"))
                .content()
                .contains("Algorithms, side by side", "Held-out answers against KL");
    }

    /** PPO alone is the first of many to the bit: looking at held-out prompts and other algorithms change nothing. */
    @Test
    void whatOneComesToDoesNotDependOnTheOthers() throws IOException {
        TinyRun.recipe(TinyRun.config(), directory, RunMonitor.SILENT, new StopSignal(), false)
                .run();
        assertThat(directory.resolve("ppo/model/model.safetensors"))
                .hasSameBinaryContentAs(whole.resolve("ppo/model/model.safetensors"));
    }

    @Test
    void stoppedInTheMiddleItGoesOnToTheSameBits() throws IOException {
        for (String after : List.of("ppo", "grpo", "online_dpo", "ipo")) {
            StopSignal stop = new StopSignal();
            RunMonitor monitor = new RunMonitor() {
                @Override
                public TrainingListener listener(Stage running) {
                    return (trainer, report) -> {
                        if (report.stage().equals(after) && report.step() == 1) {
                            stop.request();
                        }
                        return true;
                    };
                }
            };
            boolean resume = Files.exists(directory.resolve("config.yaml"));
            assertThatThrownBy(() -> TinyRun.recipe(ALL, directory, monitor, stop, resume)
                            .run())
                    .as(after)
                    .isInstanceOf(RunStoppedException.class);
        }
        TinyRun.recipe(ALL, directory, RunMonitor.SILENT, new StopSignal(), true)
                .run();
        for (String file : List.of("metrics.jsonl", "samples.jsonl")) {
            assertThat(directory.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
    }

    /** What is there stays, and the evaluation is done again with all of them. */
    @Test
    void algorithmsAreAddedToAFinishedRun() throws IOException {
        RecipeConfig two = ConfigFiles.set(TinyRun.config(), "algorithms", "[ppo, dpo]");
        TinyRun.recipe(TinyRun.config(), directory, RunMonitor.SILENT, new StopSignal(), false)
                .run();
        byte[] ppo = Files.readAllBytes(directory.resolve("ppo/model/model.safetensors"));
        TinyRun.recipe(two, directory, RunMonitor.SILENT, new StopSignal(), true)
                .run();

        assertThat(directory.resolve("ppo/model/model.safetensors")).hasBinaryContent(ppo);
        assertThat(directory.resolve("dpo/model/model.safetensors"))
                .hasSameBinaryContentAs(whole.resolve("dpo/model/model.safetensors"));
        assertThat(RunRecords.read(directory).results().value("reward/score_dpo"))
                .isFinite();
        assertThatThrownBy(() -> TinyRun.recipe(TinyRun.config(), directory, RunMonitor.SILENT, new StopSignal(), true))
                .hasMessageContaining("algorithms");
    }

    /** Rounding moves log-probs by little, and by more than decoding and scoring the same weights part by (1e-8 here). */
    @Test
    void rolloutsOfRoundedWeightsAreCorrectedFor() throws IOException {
        RecipeConfig rounded = ConfigFiles.set(
                TinyRun.config(), Map.of("algorithms", "[ppo, rloo, online_dpo]", "ppo.int8Sampler", "true"));
        TinyRun.recipe(rounded, directory, RunMonitor.SILENT, new StopSignal(), false)
                .run();

        RunRecords records = RunRecords.read(directory);
        for (String path : List.of("ppo/correction", "group/correction")) {
            String stage = path.startsWith("ppo") ? "ppo" : "rloo";
            assertThat(records.stage(stage)).isNotEmpty().allSatisfy(step -> assertThat(
                            step.metrics().get(path))
                    .isBetween(0.9, 1.1)
                    .isNotCloseTo(1.0, offset(1e-6)));
        }
        assertThat(records.stage("online_dpo")).isNotEmpty();
    }

    @Test
    void settingsThatDoNotFitAreNamed() {
        assertThatThrownBy(() -> ConfigFiles.set(TinyRun.config(), "algorithms", "[]"))
                .hasMessageContaining("algorithms must name at least one");
        assertThatThrownBy(() -> ConfigFiles.set(TinyRun.config(), "algorithms", "[ppo, ppo]"))
                .hasMessageContaining("none twice");
        assertThatThrownBy(() -> ConfigFiles.set(TinyRun.config(), "algorithms", "[alphago]"))
                .hasMessageContaining("algorithms does not fit: it must be a list")
                .hasMessageContaining("ppo or grpo");
        assertThatThrownBy(() -> ConfigFiles.set(
                        ConfigFiles.set(TinyRun.config(), "ppo.groupSize", "3"), "algorithms", "[rloo]"))
                .hasMessageContaining("ppo.groupSize must divide");
    }
}
