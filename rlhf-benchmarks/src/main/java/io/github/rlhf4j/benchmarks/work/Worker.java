package io.github.rlhf4j.benchmarks.work;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * Our side as a process: reads a job, then requests, and answers each line of JSON with one, as {@code worker.py} does for
 * the peer. {@code {"run": 3}} does three steps and says {@code {"seconds": 1.25}}; the end of the input ends it.
 */
public final class Worker {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Makes the work of a job ready. */
    @FunctionalInterface
    interface Preparation {
        Work prepare(Job job) throws IOException;
    }

    private Worker() {}

    /** Serves standard input; what anything else prints goes to standard error. */
    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        serve(
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)),
                new PrintWriter(answers, true, StandardCharsets.UTF_8),
                Work::of);
        System.exit(0);
    }

    static void serve(BufferedReader requests, PrintWriter answers, Preparation preparation) throws IOException {
        String first = requests.readLine();
        if (first == null) {
            return;
        }
        Work work = preparation.prepare(JSON.readValue(first, Job.class));
        answer(answers, "check", work.check());
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            JsonNode steps = JSON.readTree(line).required("run");
            long start = System.nanoTime();
            work.run(steps.intValue());
            answer(answers, "seconds", (System.nanoTime() - start) / 1e9);
        }
    }

    private static void answer(PrintWriter answers, String name, double value) {
        answers.println(JSON.createObjectNode().put(name, value));
        answers.flush();
    }
}
