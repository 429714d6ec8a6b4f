package io.github.rlhf4j.benchmarks.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Our side's half of the protocol. */
class WorkerTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String JOB =
            "{\"work\":\"fake\",\"variant\":\"\",\"threads\":2,\"directory\":\".\"," + "\"sizes\":{\"batch\":4}}\n";

    private final List<Integer> asked = new ArrayList<>();

    private List<JsonNode> serve(String requests) throws IOException {
        StringWriter answers = new StringWriter();
        Worker.serve(new BufferedReader(new StringReader(requests)), new PrintWriter(answers), this::fake);
        List<JsonNode> lines = new ArrayList<>();
        for (String line : answers.toString().lines().toList()) {
            lines.add(JSON.readTree(line));
        }
        return lines;
    }

    private Work fake(Job job) {
        return new Work() {
            @Override
            public double check() {
                return job.size("batch") + 0.5;
            }

            @Override
            public void run(int steps) {
                asked.add(steps);
            }
        };
    }

    @Test
    void aJobIsAnsweredWithItsCheckAndStepsWithSeconds() throws IOException {
        List<JsonNode> answers = serve(JOB + "{\"run\": 3}\n{\"run\": 1}\n");
        assertThat(answers).hasSize(3);
        assertThat(answers.get(0).get("check").doubleValue()).isEqualTo(4.5);
        assertThat(answers.get(1).get("seconds").isNumber()).isTrue();
        assertThat(asked).containsExactly(3, 1);
    }

    @Test
    void nothingToDoIsNoError() throws IOException {
        assertThat(serve("")).isEmpty();
    }

    @Test
    void aRequestItDoesNotKnowIsRefused() {
        assertThatThrownBy(() -> serve(JOB + "{\"walk\": 3}\n")).hasMessageContaining("run");
    }
}
