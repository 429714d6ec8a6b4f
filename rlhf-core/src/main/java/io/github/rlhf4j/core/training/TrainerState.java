package io.github.rlhf4j.core.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.internal.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a trainer itself must remember in a checkpoint, beside the models: stage, steps done, configuration, and a few
 * numbers (a KL coefficient, running moments). The file {@code trainer.json}; the same state gives the same bytes.
 */
public final class TrainerState {

    private static final String FILE_NAME = "trainer.json";
    private static final long MAX_BYTES = 16L << 20;

    private final Path file;
    private final String stage;
    private final long stepsDone;
    private final JsonNode config;
    private final Map<String, Number> extra;

    private TrainerState(Path file, String stage, long stepsDone, JsonNode config, Map<String, Number> extra) {
        this.file = file;
        this.stage = stage;
        this.stepsDone = stepsDone;
        this.config = config;
        this.extra = extra;
    }

    /** Writes a state without extra numbers; see {@link #write(Path, String, long, Object, Map)}. */
    public static void write(Path directory, String stage, long stepsDone, Object config) throws IOException {
        write(directory, stage, stepsDone, config, Map.of());
    }

    /**
     * Writes {@code trainer.json} into a directory, which a {@link Checkpoints.Writer} was given.
     *
     * @param config the trainer's configuration, a record; nested records, enums, numbers, texts, lists, maps
     * @param extra by name; the values are {@link Number}s, doubles come back to the same bits, NaN and infinities too
     * @throws IllegalArgumentException when a value of {@code extra} is not a number
     */
    public static void write(Path directory, String stage, long stepsDone, Object config, Map<String, ?> extra)
            throws IOException {
        ObjectNode root = Json.object();
        root.put("stage", stage);
        root.put("stepsDone", stepsDone);
        root.set("config", ConfigTree.of(config));
        ObjectNode numbers = root.putObject("extra");
        new TreeMap<>(extra).forEach((name, value) -> put(numbers, name, value));
        Json.writePretty(directory.resolve(FILE_NAME), root);
    }

    private static void put(ObjectNode numbers, String name, Object value) {
        if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte) {
            numbers.put(name, ((Number) value).longValue());
        } else if (value instanceof Double || value instanceof Float) {
            numbers.put(name, ((Number) value).doubleValue()); // NaN and infinities become the texts "NaN", "Infinity"
        } else {
            throw new IllegalArgumentException("an extra number of a trainer's state must be an integer or a floating"
                    + "-point number, got " + name + " = " + value);
        }
    }

    /**
     * Reads what {@link #write} wrote.
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public static TrainerState read(Path directory) throws IOException {
        Path file = directory.resolve(FILE_NAME);
        ObjectNode root = Json.readObject(file, MAX_BYTES);
        JsonNode stage = root.path("stage");
        JsonNode stepsDone = root.path("stepsDone");
        JsonNode config = root.path("config");
        JsonNode extra = root.path("extra");
        boolean valid = stage.isTextual()
                && stepsDone.isIntegralNumber()
                && stepsDone.canConvertToLong()
                && stepsDone.longValue() >= 0
                && !config.isMissingNode()
                && extra.isObject();
        if (!valid) {
            throw new IOException(
                    file + " needs \"stage\" (text), \"stepsDone\" (an integer ≥ 0), \"config\" and \"extra\""
                            + " (an object); it was not written by this version");
        }
        Map<String, Number> numbers = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : extra.properties()) {
            numbers.put(entry.getKey(), number(file, entry.getKey(), entry.getValue()));
        }
        return new TrainerState(
                file, stage.textValue(), stepsDone.longValue(), config, Collections.unmodifiableMap(numbers));
    }

    private static Number number(Path file, String name, JsonNode node) throws IOException {
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        } else if (node.isNumber()) {
            return node.doubleValue();
        }
        return switch (node.asText()) {
            case "NaN" -> Double.NaN;
            case "Infinity" -> Double.POSITIVE_INFINITY;
            case "-Infinity" -> Double.NEGATIVE_INFINITY;
            default -> throw new IOException(file + ": \"extra\" must hold numbers, " + name + " is " + node);
        };
    }

    public String stage() {
        return stage;
    }

    public long stepsDone() {
        return stepsDone;
    }

    /** The extra numbers by name: a {@link Long} where an integer was written, a {@link Double} otherwise. */
    public Map<String, Number> extra() {
        return extra;
    }

    /**
     * An extra number.
     *
     * @throws IOException when there is none of this name, naming those there are
     */
    public double number(String name) throws IOException {
        return require(name).doubleValue();
    }

    /**
     * An extra number that was written as an integer.
     *
     * @throws IOException when there is none of this name, naming those there are
     */
    public long integer(String name) throws IOException {
        return require(name).longValue();
    }

    private Number require(String name) throws IOException {
        Number value = extra.get(name);
        if (value == null) {
            throw new IOException(file + " has no extra number " + name + "; it has " + extra.keySet());
        }
        return value;
    }

    /**
     * Checks that the checkpoint is of a stage.
     *
     * @return this
     * @throws IOException when it is of another
     */
    public TrainerState requireStage(String expected) throws IOException {
        if (!stage.equals(expected)) {
            throw new IOException(file + " is a checkpoint of the stage \"" + stage + "\", not of \"" + expected
                    + "\"; give the directory of a " + expected + " checkpoint");
        }
        return this;
    }

    /**
     * Checks that the checkpoint was made with a configuration. Settings named {@code microBatchTokens} may differ: they
     * decide memory and speed, and what is learned only by rounding.
     *
     * @return this
     * @throws IOException naming each setting that differs, and both values
     */
    public TrainerState requireSameConfig(Object expected) throws IOException {
        List<String> differences = ConfigTree.differences(config, ConfigTree.of(expected));
        if (!differences.isEmpty()) {
            throw new IOException(file + " was made with other settings: " + String.join("; ", differences)
                    + ". Resume with the settings of the checkpoint, or start a new run in another directory.");
        }
        return this;
    }
}
