package io.github.rlhf4j.transformer.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The templates of {@code src/test/resources/chat} and what transformers makes of them ({@code renders.py}). */
final class ChatGoldens {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The date that {@code renders.py} gave transformers. */
    private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 27, 5, 9, 5);

    private ChatGoldens() {}

    static ChatTemplate template(String name, String bos, String eos) {
        return ChatTemplate.of(resource(name + ".jinja"), bos, eos).at(NOW);
    }

    static List<JsonNode> renders() {
        try {
            List<JsonNode> renders = new ArrayList<>();
            JSON.readTree(resource("renders.json")).forEach(renders::add);
            return renders;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Conversation conversation(JsonNode render) {
        List<Message> messages = new ArrayList<>();
        for (JsonNode message : render.path("messages")) {
            messages.add(new Message(
                    Role.valueOf(message.path("role").asText().toUpperCase(Locale.ROOT)),
                    message.path("content").asText()));
        }
        return new Conversation(messages);
    }

    private static String resource(String name) {
        try (InputStream in = ChatGoldens.class.getResourceAsStream("/chat/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
