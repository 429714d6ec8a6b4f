package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.rlhf4j.transformer.files.internal.FileBytes;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.DoublePredicate;

/** The fields of a {@code config.json}, each checked as it is asked for; errors name file, field, rule and value. */
record JsonFields(Path file, JsonNode root) {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Four times what the longest such files have; more only fills memory. */
    private static final int MOST_BYTES = 1 << 22;

    /** The widest residual stream: what presets make of it, 8/3 and 4 times it, are ints still. */
    static final int MOST_WIDTH = (1 << 28) - 1;

    /** The widest feed-forward layer: gate and up-projection side by side are an int still. */
    static final int MOST_FEED_FORWARD = (1 << 30) - 1;

    static JsonFields read(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException(
                    file + " is missing: a model directory holds config.json, model.safetensors and tokenizer.json");
        }
        try {
            JsonNode root = JSON.readTree(text(file));
            if (!root.isObject()) {
                throw new IOException(file + ": must be a JSON object, it is " + root.getNodeType());
            }
            return new JsonFields(file, root);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The text of a small file, which must be UTF-8. */
    static String text(Path file) throws IOException {
        try (FileBytes bytes = FileBytes.open(file)) {
            if (bytes.size() > MOST_BYTES) {
                throw new IOException(file + ": may have " + MOST_BYTES + " bytes at most, it has " + bytes.size());
            }
            return FileBytes.utf8(bytes.read(0, (int) bytes.size()).array());
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": is not UTF-8", e);
        }
    }

    boolean has(String field) {
        return root.hasNonNull(field);
    }

    int size(String field) throws IOException {
        return upTo(field, Integer.MAX_VALUE);
    }

    int upTo(String field, int most) throws IOException {
        JsonNode node = root.path(field);
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1 || node.intValue() > most) {
            throw refused(field, "a whole number from 1 to " + most, node);
        }
        return node.intValue();
    }

    int size(String field, int absent) throws IOException {
        return has(field) ? size(field) : absent;
    }

    double number(String field, double absent) throws IOException {
        JsonNode node = root.path(field);
        if (has(field) && !node.isNumber()) {
            throw refused(field, "a number", node);
        }
        return has(field) ? node.doubleValue() : absent;
    }

    /** A number that {@code rule} says in words and {@code holds} in code. */
    double number(String field, double absent, DoublePredicate holds, String rule) throws IOException {
        double value = number(field, absent);
        if (!holds.test(value)) {
            throw refused(field, rule, root.path(field));
        }
        return value;
    }

    /** A probability of dropout. */
    double dropout(String field) throws IOException {
        return number(field, 0, p -> p >= 0 && p < 1, "a number in [0, 1)");
    }

    /** What a norm adds inside its root. */
    double epsilon(String field, double absent) throws IOException {
        return number(field, absent, e -> e > 0 && e < 1, "a number between 0 and 1");
    }

    /** A divisor of another field's value, and that value itself where the field is absent. */
    int divisor(String field, String ofField, int of) throws IOException {
        int divisor = size(field, of);
        if (of % divisor != 0) {
            throw refused(field, "a divisor of " + ofField + " (" + of + ")", root.path(field));
        }
        return divisor;
    }

    boolean flag(String field, boolean absent) throws IOException {
        JsonNode node = root.path(field);
        if (has(field) && !node.isBoolean()) {
            throw refused(field, "true or false", node);
        }
        return has(field) ? node.booleanValue() : absent;
    }

    /** Of what an object under this name holds; an error if it is something else. */
    JsonFields object(String field) throws IOException {
        if (!root.path(field).isObject()) {
            throw refused(field, "an object", root.path(field));
        }
        return new JsonFields(file, root.path(field));
    }

    void requireFlag(String field, boolean needed, boolean absent, String why) throws IOException {
        if (flag(field, absent) != needed) {
            throw refused(field, needed + ", " + why, root.path(field));
        }
    }

    String text(String field, String absent, Set<String> known) throws IOException {
        String value = has(field) ? root.path(field).asText() : absent;
        if (!known.contains(value)) {
            throw refused(field, "one of " + known.stream().sorted().toList(), root.path(field));
        }
        return value;
    }

    /** Whether {@code architectures} names a sequence classifier. */
    boolean namesClassifier() {
        for (JsonNode architecture : root.path("architectures")) {
            if (architecture.asText().endsWith("ForSequenceClassification")) {
                return true;
            }
        }
        return false;
    }

    IOException refused(String field, String rule, JsonNode found) {
        String text = found.isMissingNode() ? "nothing" : found.toString();
        return new IOException(file + ": " + field + " must be " + rule + ", got "
                + (text.length() <= 200 ? text : text.substring(0, 200) + "…"));
    }
}
