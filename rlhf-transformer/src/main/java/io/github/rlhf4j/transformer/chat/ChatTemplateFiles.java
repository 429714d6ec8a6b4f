package io.github.rlhf4j.transformer.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Where a model directory keeps its chat template. */
final class ChatTemplateFiles {

    static final String DEFAULT = ModelDirectory.DEFAULT_TEMPLATE;

    private static final String CONFIG = "tokenizer_config.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatTemplateFiles() {}

    static ChatTemplate read(Path directory, String name) throws IOException {
        JsonNode config = config(directory.resolve(CONFIG));
        return ChatTemplate.of(source(directory, config, name), token(config, "bos_token"), token(config, "eos_token"));
    }

    private static String source(Path directory, JsonNode config, String name) throws IOException {
        Optional<String> template = ModelDirectory.chatTemplate(directory, name);
        if (template.isPresent()) {
            return template.get();
        }
        List<String> names = new ArrayList<>();
        config.path("chat_template")
                .forEach(named -> names.add(named.path("name").asText()));
        throw new IOException(directory + " has no chat template named " + name + ": neither chat_template.jinja"
                + " nor the field chat_template of " + CONFIG + ", which names " + names
                + ". Models that were not trained to chat have none; use another ChatFormat for them.");
    }

    private static JsonNode config(Path file) throws IOException {
        if (!Files.exists(file)) {
            return JSON.createObjectNode();
        }
        try {
            return JSON.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new IOException(file + ": is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** A token is its text, or an object that holds it as {@code content}. */
    private static String token(JsonNode config, String field) {
        JsonNode token = config.path(field);
        return token.isObject() ? token.path("content").asText("") : token.isTextual() ? token.textValue() : "";
    }
}
