package io.github.rlhf4j.benchmarks.peer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.util.Map;

/** The protocol with a side: each request is one line of JSON, and so is its answer, an object with one number. */
final class Dialogue {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Writer requests;
    private final BufferedReader answers;

    Dialogue(Writer requests, BufferedReader answers) {
        this.requests = requests;
        this.answers = answers;
    }

    /** Sends the job and returns the side's check. */
    double open(Object job) throws IOException {
        return ask(job, "check");
    }

    /** Asks for steps and returns the seconds they took. */
    double run(int steps) throws IOException {
        double seconds = ask(Map.of("run", steps), "seconds");
        if (!(seconds > 0)) {
            throw new IOException(steps + " steps took " + seconds + " s, which is no time at all; ask for more steps");
        }
        return seconds;
    }

    private double ask(Object request, String wanted) throws IOException {
        requests.write(JSON.writeValueAsString(request) + "\n");
        requests.flush();
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("ended before it answered with its " + wanted);
        }
        JsonNode value = parse(line).path(wanted);
        if (!value.isNumber()) {
            throw new IOException("answered \"" + line + "\", where its " + wanted + " should be");
        }
        return value.doubleValue();
    }

    private static JsonNode parse(String line) throws IOException {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new IOException("answered \"" + line + "\", which is no JSON", e);
        }
    }
}
