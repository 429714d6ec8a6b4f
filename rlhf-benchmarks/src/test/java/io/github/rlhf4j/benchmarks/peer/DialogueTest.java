package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** One line of JSON for one line of JSON. */
class DialogueTest {

    private final StringWriter requests = new StringWriter();

    private Dialogue with(String answers) {
        return new Dialogue(requests, new BufferedReader(new StringReader(answers)));
    }

    @Test
    void theJobIsOneLineAndItsAnswerTheCheck() throws IOException {
        Job job = new Job("train", "eager", 2, "dir", Map.of("batch", 4));
        assertThat(with("{\"check\": 8.25}\n").open(job)).isEqualTo(8.25);
        assertThat(requests)
                .hasToString("{\"work\":\"train\",\"variant\":\"eager\",\"threads\":2,\"directory\":\"dir\","
                        + "\"sizes\":{\"batch\":4}}\n");
    }

    @Test
    void stepsAreAnsweredWithSeconds() throws IOException {
        assertThat(with("{\"seconds\": 0.5}\n").run(3)).isEqualTo(0.5);
        assertThat(requests).hasToString("{\"run\":3}\n");
    }

    @Test
    void aSideThatEndedSaysSo() {
        assertThatThrownBy(() -> with("").run(1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ended before");
    }

    @Test
    void whatIsNoAnswerIsQuoted() {
        assertThatThrownBy(() -> with("Traceback\n").run(1)).hasMessageContainingAll("Traceback", "no JSON");
        assertThatThrownBy(() -> with("{\"check\": 1}\n").run(1)).hasMessageContainingAll("check", "seconds");
    }

    @Test
    void stepsThatTookNoTimeAreNoMeasurement() {
        assertThatThrownBy(() -> with("{\"seconds\": 0.0}\n").run(1)).hasMessageContaining("more steps");
        assertThatThrownBy(() -> with("{\"seconds\": null}\n").run(1)).hasMessageContaining("seconds");
    }

    @Test
    void jobsNameWhatTheyLack() {
        Job job = Job.of("ppo", 1, Path.of("."), Map.of());
        assertThatThrownBy(() -> job.size("epochs")).hasMessageContainingAll("ppo", "epochs");
        assertThatThrownBy(() -> Job.of("ppo", 0, Path.of("."), Map.of())).hasMessageContaining("at least one thread");
    }
}
