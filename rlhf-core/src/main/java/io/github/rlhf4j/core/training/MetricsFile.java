package io.github.rlhf4j.core.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.files.DurableFiles;
import io.github.rlhf4j.core.internal.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes each step's metrics as one JSON line: {@code {"stage":"ppo","step":3,"totalSteps":100,"objective/kl":0.1}}. It
 * holds no times, so that equal runs write equal files. Several stages may share a file.
 *
 * <p>A resumed run repeats the steps after its checkpoint; at its start the lines of those steps are dropped, as is a last
 * line that a crash cut in half, so that the file reads as that of an uninterrupted run.
 */
public final class MetricsFile implements TrainingListener {

    private final Path file;

    public MetricsFile(Path file) {
        this.file = file.toAbsolutePath();
    }

    /** Drops the lines of this stage's steps that are still to be done. */
    @Override
    public void onStart(Trainer trainer) {
        try {
            Path parent = file.getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            if (Files.exists(file)) {
                dropAfter(trainer.name(), trainer.stepsDone());
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    @Override
    public boolean onStep(Trainer trainer, StepReport report) {
        try {
            Files.writeString(file, line(report), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw failure(e);
        }
        return true;
    }

    private void dropAfter(String stage, long step) throws IOException {
        StringBuilder kept = new StringBuilder();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            StepReport report = parse(lines.get(i), i + 1, i == lines.size() - 1);
            if (report != null && !(report.stage().equals(stage) && report.step() > step)) {
                kept.append(lines.get(i)).append('\n');
            }
        }
        DurableFiles.replace(file, kept.toString().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Reads a metrics file back; a last line that was cut in half is left out.
     *
     * @throws IOException naming the line that is no step
     */
    public static List<StepReport> read(Path file) throws IOException {
        MetricsFile metrics = new MetricsFile(file);
        List<StepReport> reports = new ArrayList<>();
        List<String> lines = lines(file);
        for (int i = 0; i < lines.size(); i++) {
            StepReport report = metrics.parse(lines.get(i), i + 1, i == lines.size() - 1);
            if (report != null) {
                reports.add(report);
            }
        }
        return reports;
    }

    /** Lines; a character that a crash cut in half becomes U+FFFD, in a line that is dropped. */
    private static List<String> lines(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                .lines()
                .toList();
    }

    private static String line(StepReport report) throws JsonProcessingException {
        ObjectNode node = Json.object();
        node.put("stage", report.stage()).put("step", report.step()).put("totalSteps", report.totalSteps());
        report.metrics().forEach(node::put);
        return Json.MAPPER.writeValueAsString(node) + "\n";
    }

    private @Nullable StepReport parse(String line, int number, boolean last) throws IOException {
        JsonNode node;
        try {
            node = Json.MAPPER.readTree(line);
        } catch (JsonProcessingException e) {
            if (last) {
                return null;
            }
            throw new IOException(
                    file + ", line " + number + " is not valid JSON: " + Json.firstLine(e.getOriginalMessage())
                            + ". Delete the line, or begin a new file.",
                    e);
        }
        if (!node.path("stage").isTextual() || !node.path("step").canConvertToLong()) {
            throw new IOException(file + ", line " + number + " needs \"stage\" and \"step\", has " + line
                    + ". Was the file written by this library?");
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!List.of("stage", "step", "totalSteps").contains(entry.getKey())) {
                metrics.put(entry.getKey(), number(entry.getValue()));
            }
        }
        return new StepReport(
                node.get("stage").textValue(),
                node.get("step").longValue(),
                node.path("totalSteps").longValue(),
                metrics);
    }

    /** NaN and the infinities are texts in JSON. */
    private static double number(JsonNode value) {
        return switch (value.asText()) {
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> value.isNumber() ? value.doubleValue() : Double.NaN;
        };
    }

    private UncheckedIOException failure(IOException e) {
        return new UncheckedIOException("the metrics file " + file + " cannot be kept: " + e.getMessage(), e);
    }
}
