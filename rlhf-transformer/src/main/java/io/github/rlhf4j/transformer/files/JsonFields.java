package io.github.rlhf4j.transformer.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;

/** The fields of a {@code config.json}, each checked as it is asked for; errors name file, field, rule and value. */
record JsonFields(Path file, JsonNode root) {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    static JsonFields read(Path file) throws IOException {
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (!root.isObject()) {
                throw new IOException(file + ": must be a JSON object, it is " + root.getNodeType());
            }
            return new JsonFields(file, root);
        } catch (NoSuchFileException e) {
            throw new IOException(
                    file + " is missing: a model directory holds config.json, model.safetensors and tokenizer.json", e);
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    boolean has(String field) {
        return root.hasNonNull(field);
    }

    int size(String field) throws IOException {
        JsonNode node = root.path(field);
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 1) {
            throw refused(field, "a whole number from 1 to " + Integer.MAX_VALUE, node);
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
        return new IOException(
                file + ": " + field + " must be " + rule + ", got " + (found.isMissingNode() ? "nothing" : found));
    }
}
