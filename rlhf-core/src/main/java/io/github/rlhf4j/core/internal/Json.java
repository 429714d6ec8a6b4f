package io.github.rlhf4j.core.internal;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** The one way this module reads and writes JSON: strict, the same bytes on each machine, finite doubles exact. */
public final class Json {

    /** Refuses duplicate keys and anything after the value. */
    public static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final ObjectReader ELEMENT = MAPPER.reader().without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private static final ObjectWriter PRETTY = MAPPER.writer(new DefaultPrettyPrinter()
            .withObjectIndenter(new DefaultIndenter("  ", "\n"))
            .withArrayIndenter(new DefaultIndenter("  ", "\n")));

    private Json() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** Reads the value that a parser stands at, as one of several in its input. */
    public static JsonNode readElement(JsonParser parser) throws IOException {
        return ELEMENT.readTree(parser);
    }

    /** Writes a value over several indented lines, with {@code \n} on each platform. */
    public static void writePretty(Path file, JsonNode value) throws IOException {
        Files.writeString(file, PRETTY.writeValueAsString(value) + "\n");
    }

    /**
     * Reads a file that holds one JSON object.
     *
     * @param maxBytes larger files are refused unread
     * @throws IOException naming the file and what is wrong with it
     */
    public static ObjectNode readObject(Path file, long maxBytes) throws IOException {
        long size;
        try {
            size = Files.size(file);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(file.toString(), null, "the file is missing");
        }
        if (size > maxBytes) {
            throw new IOException(file + " has " + size + " bytes; at most " + maxBytes + " are plausible for it");
        }
        try {
            JsonNode node = MAPPER.readTree(Files.readAllBytes(file));
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new IOException(file + " must hold a JSON object, but holds " + kind(node));
        } catch (JsonProcessingException e) {
            throw new IOException(file + " is not valid JSON: " + problem(e), e);
        }
    }

    /** What Jackson found wrong, and where in its input, on one line. */
    public static String problem(JsonProcessingException e) {
        String where = e.getLocation() == null
                ? ""
                : " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
        return firstLine(e.getOriginalMessage()) + where;
    }

    /** The first line of a parser's message; the others are about the parser. */
    public static String firstLine(String message) {
        return message.lines().findFirst().orElse(message).strip();
    }

    /** What a value is, for messages: {@code "a string"}. */
    public static String kind(JsonNode node) {
        return switch (node.getNodeType()) {
            case OBJECT -> "an object";
            case ARRAY -> "an array";
            case STRING -> "a string";
            case NUMBER -> "a number";
            case BOOLEAN -> "a boolean";
            case NULL -> "null";
            case MISSING -> "nothing";
            default -> node.getNodeType().toString();
        };
    }
}
