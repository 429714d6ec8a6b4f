package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerStateTest {

    @TempDir
    Path directory;

    private enum Aggregation {
        TOKEN_MEAN,
        SEQUENCE_MEAN
    }

    private record Config(
            LearningRateSchedule schedule,
            float clip,
            double target,
            Aggregation over,
            Set<Integer> stops,
            List<Long> ls) {}

    private static Config config(LearningRateSchedule schedule, double target, Integer... stops) {
        return new Config(schedule, 0.2f, target, Aggregation.TOKEN_MEAN, Set.of(stops), List.of(1L << 60));
    }

    private static final Config CONFIG =
            config(new LearningRateSchedule.Constant(0.1), Double.POSITIVE_INFINITY, 1, 2, 3);

    @Test
    void comesBackAsWritten() throws IOException {
        TrainerState.write(directory, "ppo", 12, CONFIG, Map.of("kl/coefficient", 0.1, "seen", 1L << 62, "n", 3));
        TrainerState state = TrainerState.read(directory).requireStage("ppo").requireSameConfig(CONFIG);
        assertThat(state.stage()).isEqualTo("ppo");
        assertThat(state.stepsDone()).isEqualTo(12);
        assertThat(state.number("kl/coefficient")).isEqualTo(0.1);
        assertThat(state.integer("seen")).isEqualTo(1L << 62);
        assertThat(state.extra()).hasSize(3);
        assertThatThrownBy(() -> state.number("beta")).hasMessageContainingAll("beta", "kl/coefficient");
    }

    @Test
    void theSameStateGivesTheSameBytes() throws IOException {
        TrainerState.write(directory, "ppo", 12, config(CONFIG.schedule(), 1, 1, 2, 3), Map.of("a", 1.0, "b", 2.0));
        String first = Files.readString(directory.resolve("trainer.json"));
        TrainerState.write(directory, "ppo", 12, config(CONFIG.schedule(), 1, 3, 2, 1), Map.of("b", 2.0, "a", 1.0));
        assertThat(directory.resolve("trainer.json")).hasContent(first.strip());
    }

    @Test
    void settingsThatDifferAreNamedWithBothValues() throws IOException {
        TrainerState.write(directory, "ppo", 12, CONFIG);
        Config other = config(new LearningRateSchedule.Constant(0.2), 6.0, 1, 2, 3);
        assertThatThrownBy(() -> TrainerState.read(directory).requireSameConfig(other))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(
                        "trainer.json",
                        "schedule.rate was 0.1, is 0.2",
                        "target was \"Infinity\", is 6.0",
                        "Resume with");
    }

    @Test
    void anotherKindOfScheduleDiffersEvenWithTheSameFields() throws IOException {
        TrainerState.write(directory, "ppo", 0, config(new LearningRateSchedule.WarmupLinear(0.1, 2, 9), 1));
        Config other = config(new LearningRateSchedule.WarmupCosine(0.1, 0, 2, 9), 1);
        assertThatThrownBy(() -> TrainerState.read(directory).requireSameConfig(other))
                .hasMessageContainingAll("schedule.kind was \"WarmupLinear\", is \"WarmupCosine\"", "was absent");
    }

    @Test
    void anotherStageIsRefused() throws IOException {
        TrainerState.write(directory, "sft", 3, CONFIG);
        assertThatThrownBy(() -> TrainerState.read(directory).requireStage("ppo"))
                .hasMessageContainingAll("\"sft\"", "not of \"ppo\"", "give the directory");
    }

    @Test
    void anExtraThatIsNoNumberIsRefused() {
        assertThatThrownBy(() -> TrainerState.write(directory, "sft", 3, CONFIG, Map.of("name", "x")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("name = x");
    }

    @Test
    void missingAndMalformedFilesAreNamed() throws IOException {
        assertThatThrownBy(() -> TrainerState.read(directory)).hasMessageContainingAll("trainer.json", "missing");
        Files.writeString(directory.resolve("trainer.json"), "{\"stage\":1}");
        assertThatThrownBy(() -> TrainerState.read(directory))
                .hasMessageContainingAll("trainer.json", "\"stage\" (text)");
        Files.writeString(directory.resolve("trainer.json"), "{\"stage\":");
        assertThatThrownBy(() -> TrainerState.read(directory))
                .hasMessageContainingAll("trainer.json", "not valid JSON");
        Files.writeString(
                directory.resolve("trainer.json"),
                "{\"stage\":\"a\",\"stepsDone\":1,\"config\":{},\"extra\":{\"x\":\"y\"}}");
        assertThatThrownBy(() -> TrainerState.read(directory))
                .hasMessageContainingAll("must hold numbers", "x is \"y\"");
    }

    @Test
    void valuesThatAreNotFiniteComeBack() throws IOException {
        Map<String, Double> values =
                Map.of("nan", Double.NaN, "up", Double.POSITIVE_INFINITY, "down", Double.NEGATIVE_INFINITY);
        TrainerState.write(directory, "s", 0, CONFIG, values);
        assertThat(TrainerState.read(directory).extra()).containsExactlyInAnyOrderEntriesOf(values);
    }
}
