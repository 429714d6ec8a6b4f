package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {

    @TempDir
    Path root;

    private Path file() {
        return root.resolve("metrics/all.jsonl");
    }

    private static TrainingListener stopAfter(long step) {
        return (trainer, report) -> report.step() < step;
    }

    @Test
    void aKilledAndResumedRunWritesTheFileOfTheUninterruptedOne() throws IOException {
        Path uninterrupted = root.resolve("uninterrupted.jsonl");
        new ScriptedTrainer(9).run(new MetricsFile(uninterrupted));

        ScriptedTrainer killed = new ScriptedTrainer(9);
        killed.run(new MetricsFile(file()), stopAfter(4));
        killed.save(root.resolve("checkpoint"));
        killed.run(new MetricsFile(file()), stopAfter(7)); // steps 5 to 7 are lost with the process
        Files.writeString(file(), "{\"stage\":\"scripted\",\"st", StandardOpenOption.APPEND);

        ScriptedTrainer resumed = new ScriptedTrainer(9);
        resumed.restore(root.resolve("checkpoint"));
        resumed.run(new MetricsFile(file()));
        assertThat(file()).hasSameTextualContentAs(uninterrupted);
    }

    @Test
    void otherStagesKeepTheirLines() throws IOException {
        MetricsFile metrics = new MetricsFile(file());
        metrics.onStart(new ScriptedTrainer(1));
        metrics.onStep(new ScriptedTrainer(1), new StepReport("sft", 8, 9, Map.of("loss", 1.5)));
        new ScriptedTrainer(2).run(metrics);
        new ScriptedTrainer(2).run(metrics);
        assertThat(MetricsFile.read(file()))
                .extracting(StepReport::stage)
                .containsExactly("sft", "scripted", "scripted");
    }

    @Test
    void reportsComeBack() throws IOException {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("objective/kl", 0.1);
        metrics.put("loss", Double.NaN);
        metrics.put("a", Double.NEGATIVE_INFINITY);
        StepReport report = new StepReport("ppo", 3, 10, metrics);
        MetricsFile file = new MetricsFile(file());
        file.onStart(new ScriptedTrainer(1));
        file.onStep(new ScriptedTrainer(1), report);
        assertThat(MetricsFile.read(file())).containsExactly(report);
        assertThat(file())
                .content()
                .startsWith("{\"stage\":\"ppo\",\"step\":3,\"totalSteps\":10,\"objective/kl\":0.1,");
    }

    @Test
    void aLineThatIsNoStepIsNamed() throws IOException {
        Path file = Files.writeString(root.resolve("m.jsonl"), "nonsense\n{\"stage\":\"a\",\"step\":1}\n");
        assertThatThrownBy(() -> new ScriptedTrainer(1).run(new MetricsFile(file)))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContainingAll("m.jsonl", "line 1", "not valid JSON");
        Files.writeString(file, "{\"loss\":1}\n");
        assertThatThrownBy(() -> MetricsFile.read(file)).hasMessageContainingAll("line 1", "needs \"stage\"");
    }
}
