package io.github.rlhf4j.transformer.tokenizer;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reading JSON that is not trusted: each complaint names file, field and remedy. */
final class TokenizerJson {

    static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private TokenizerJson() {}

    /** The object that the whole file is. */
    static JsonNode readObject(Path file) throws IOException {
        JsonNode root;
        try (var in = Files.newInputStream(file)) {
            root = MAPPER.readTree(in);
        } catch (NoSuchFileException e) {
            throw missing(file);
        } catch (JsonProcessingException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw new IOException(
                    file + ": malformed JSON" + place + ": " + e.getOriginalMessage()
                            + ". Restore the file or save it again.",
                    e);
        }
        if (!root.isObject()) {
            throw new IOException(
                    file + ": expected a JSON object, found " + describe(root) + ". Is it the file of a tokenizer?");
        }
        return root;
    }

    static NoSuchFileException missing(Path file) {
        return new NoSuchFileException(
                file.toAbsolutePath().toString(),
                null,
                "there is no such file. Save a tokenizer with TokenizerFiles.save, or copy the file from the model.");
    }

    /** A map from token to id; the values must be integers ≥ 0. */
    static Map<String, Integer> ids(Path file, String field, JsonNode object) throws IOException {
        if (!object.isObject()) {
            throw new IOException(
                    file + ": " + field + " must be an object from token to id, found " + describe(object) + ".");
        }
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            ids.put(entry.getKey(), id(file, field + "[\"" + entry.getKey() + "\"]", entry.getValue()));
        }
        return ids;
    }

    /** An id: an integer ≥ 0. */
    static int id(Path file, String field, JsonNode node) throws IOException {
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
            throw new IOException(file + ": " + field + " must be an id, an integer from 0 up, found " + describe(node)
                    + ". Number the tokens 0, 1, 2, …");
        }
        return node.intValue();
    }

    /** What a node is, short enough for a message. */
    static String describe(JsonNode node) {
        if (node.isMissingNode()) {
            return "nothing";
        }
        String text = node.toString();
        return text.length() <= 60 ? text : text.substring(0, 60) + "…";
    }
}
