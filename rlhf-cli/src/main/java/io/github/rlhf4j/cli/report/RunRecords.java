package io.github.rlhf4j.cli.report;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.core.training.MetricsFile;
import io.github.rlhf4j.core.training.StepReport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a run has left in its directory: {@code config.yaml}, {@code metrics.jsonl}, {@code seconds.json}, and, when it came to
 * its end, {@code results.json} and {@code samples.jsonl}.
 *
 * @param config the configuration as it was stored; empty when there is none
 * @param steps the steps of all stages, in the order they were done
 * @param results the results; without measurements while the run has not been evaluated
 * @param samples answers before and after PPO; possibly empty
 * @param seconds wall time of each stage so far, over all resumptions; possibly empty
 * @param heldOut how held-out prompts were answered while policies were optimised; possibly empty
 */
public record RunRecords(
        String config,
        List<StepReport> steps,
        RunResults results,
        List<Sample> samples,
        Map<String, Double> seconds,
        List<HeldOutPoint> heldOut) {

    public static final String CONFIG = "config.yaml";
    public static final String METRICS = "metrics.jsonl";
    public static final String RESULTS = "results.json";
    public static final String SAMPLES = "samples.jsonl";
    public static final String SECONDS = "seconds.json";
    public static final String HELD_OUT = "held-out.jsonl";

    private static final ObjectMapper JSON = JsonMapper.builder().build();

    /**
     * Reads a run's directory.
     *
     * @throws IOException when it is none (it has neither configuration nor metrics), or a file in it is broken
     */
    public static RunRecords read(Path directory) throws IOException {
        Path config = directory.resolve(CONFIG);
        Path metrics = directory.resolve(METRICS);
        if (!Files.exists(config) && !Files.exists(metrics)) {
            throw new NoSuchFileException(
                    directory.toString(),
                    null,
                    "no run is there (neither " + CONFIG + " nor " + METRICS + "); name a run's directory with --out");
        }
        Path results = directory.resolve(RESULTS);
        return new RunRecords(
                Files.exists(config) ? Files.readString(config) : "",
                Files.exists(metrics) ? MetricsFile.read(metrics) : List.of(),
                Files.exists(results) ? parse(results, Files.readString(results), RunResults.class) : RunResults.none(),
                readLines(directory.resolve(SAMPLES), Sample.class),
                readSeconds(directory),
                readHeldOut(directory));
    }

    private static <T> List<T> readLines(Path file, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                rows.add(parse(file, line, type));
            }
        }
        return rows;
    }

    /** Reads {@code held-out.jsonl}, empty before the first look. */
    public static List<HeldOutPoint> readHeldOut(Path directory) throws IOException {
        return readLines(directory.resolve(HELD_OUT), HeldOutPoint.class);
    }

    /** Writes {@code held-out.jsonl}. */
    public static void writeHeldOut(Path directory, List<HeldOutPoint> points) throws IOException {
        writeLines(directory.resolve(HELD_OUT), points);
    }

    private static <T> T parse(Path file, String text, Class<T> type) throws IOException {
        try {
            return JSON.readValue(text, type);
        } catch (JacksonException e) {
            throw new IOException(
                    file + " is broken: " + e.getOriginalMessage() + "; run the evaluation again (rlhf run --resume)",
                    e);
        }
    }

    /** Writes {@code results.json}. */
    public static void writeResults(Path directory, RunResults results) throws IOException {
        String json = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(results);
        replace(directory.resolve(RESULTS), json + "\n");
    }

    /** Reads {@code seconds.json}: wall time of each stage so far, empty before the first. */
    public static Map<String, Double> readSeconds(Path directory) throws IOException {
        Path file = directory.resolve(SECONDS);
        if (!Files.exists(file)) {
            return Map.of();
        }
        try {
            return JSON.readValue(Files.readString(file), new TypeReference<LinkedHashMap<String, Double>>() {});
        } catch (JacksonException e) {
            throw new IOException(file + " is broken: " + e.getOriginalMessage() + "; delete it", e);
        }
    }

    /** Writes {@code seconds.json}. */
    public static void writeSeconds(Path directory, Map<String, Double> seconds) throws IOException {
        replace(directory.resolve(SECONDS), JSON.writeValueAsString(seconds) + "\n");
    }

    /** A run that is killed leaves the file whole, old or new. */
    private static void replace(Path file, String content) throws IOException {
        DurableFiles.replace(file, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes {@code samples.jsonl}. */
    public static void writeSamples(Path directory, List<Sample> samples) throws IOException {
        writeLines(directory.resolve(SAMPLES), samples);
    }

    private static void writeLines(Path file, List<?> rows) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Object row : rows) {
            lines.append(JSON.writeValueAsString(row)).append('\n');
        }
        replace(file, lines.toString());
    }

    /** The stages that optimise a policy, each by one algorithm. */
    List<String> algorithms() {
        return heldOut.stream().map(HeldOutPoint::algorithm).distinct().toList();
    }

    /** Algorithms side by side. */
    AlgorithmComparison comparison() {
        return new AlgorithmComparison(heldOut, results);
    }

    /** The steps of one stage. */
    public List<StepReport> stage(String name) {
        return steps.stream().filter(step -> step.stage().equals(name)).toList();
    }

    /** The names of the stages, in the order they ran. */
    public List<String> stages() {
        return steps.stream().map(StepReport::stage).distinct().toList();
    }
}
