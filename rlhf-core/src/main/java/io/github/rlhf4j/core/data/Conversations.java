package io.github.rlhf4j.core.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.internal.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Conversations in the spellings people use: OpenAI's {@code role/content}, ShareGPT's {@code from/value}. */
final class Conversations {

    private Conversations() {}

    /** Whether a row says what the prompt is, in any of the accepted ways. */
    static boolean hasPrompt(Row row) {
        return row.has("prompt")
                || row.has("messages")
                || row.has("conversations")
                || row.has("instruction")
                || row.has("question");
    }

    /**
     * The prompt of a row: {@code prompt} (text, transcript or messages), {@code messages}, {@code conversations},
     * {@code instruction} (with {@code input}) or {@code question}; ends with a user message. A text {@code system} beside
     * it is put in front.
     */
    static Conversation prompt(Row row) throws DatasetException {
        String field = promptField(row);
        List<Message> messages = row.get(field).isArray()
                ? messages(row, field, row.get(field))
                : promptText(field, field.equals("instruction") ? instruction(row) : row.text(field));
        Conversation conversation = new Conversation(withSystem(row, messages));
        if (conversation.last().role() != Role.USER) {
            throw row.error(
                    field,
                    "must end with a user message, which the responses answer, but ends with "
                            + conversation.last().role().label() + "; remove what follows the user's");
        }
        return conversation;
    }

    private static String promptField(Row row) throws DatasetException {
        for (String field : List.of("prompt", "messages", "conversations", "instruction", "question")) {
            if (row.has(field)) {
                return field;
            }
        }
        throw row.error("prompt", "is missing; fill it in, or remove the row");
    }

    private static List<Message> promptText(String field, String text) {
        return field.equals("prompt") && Transcript.looksLikePrompt(text)
                ? Transcript.parsePrompt(text)
                : List.of(Message.user(text));
    }

    /** Alpaca's instruction, and its input below it when there is one. */
    static String instruction(Row row) throws DatasetException {
        String instruction = row.text("instruction");
        String input = row.has("input") ? row.text("input") : "";
        return input.isEmpty() ? instruction : instruction + "\n" + input;
    }

    /** The messages with the row's {@code system} text, if any, in front. */
    static List<Message> withSystem(Row row, List<Message> messages) throws DatasetException {
        String system = row.has("system") ? row.text("system") : "";
        if (system.isEmpty()) {
            return messages;
        }
        List<Message> all = new ArrayList<>(messages);
        all.add(0, Message.system(system));
        return all;
    }

    /** An array of messages; at least one. */
    static List<Message> messages(Row row, String field, JsonNode array) throws DatasetException {
        if (!array.isArray() || array.isEmpty()) {
            throw row.error(
                    field,
                    "must be an array of at least one message, but is " + (array.isArray() ? "empty" : Json.kind(array))
                            + "; fill it in, or remove the row");
        }
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            messages.add(message(row, field + "[" + i + "]", array.get(i)));
        }
        return messages;
    }

    /** One message, as {@code role/content} or {@code from/value}. */
    static Message message(Row row, String field, JsonNode node) throws DatasetException {
        if (node.hasNonNull("role")) {
            return new Message(
                    role(row, field + ".role", node.get("role")),
                    content(row, field + ".content", node.path("content")));
        }
        if (node.hasNonNull("from")) {
            return new Message(
                    role(row, field + ".from", node.get("from")), row.text(field + ".value", node.path("value")));
        }
        throw row.error(
                field,
                "must be a message {\"role\": …, \"content\": …} or {\"from\": …, \"value\": …}, but is "
                        + Json.kind(node) + " without \"role\" and \"from\"; correct it, or remove the row");
    }

    private static Role role(Row row, String field, JsonNode node) throws DatasetException {
        String name = row.text(field, node);
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "system" -> Role.SYSTEM;
            case "user", "human", "prompter" -> Role.USER;
            case "assistant", "gpt", "bot", "model" -> Role.ASSISTANT;
            default ->
                throw row.error(
                        field,
                        "is \"" + name + "\"; known are system; user, human, prompter; assistant, gpt,"
                                + " bot, model. Rename it, or remove the message.");
        };
    }

    /** A text, or OpenAI's list of parts, all of them texts. */
    private static String content(Row row, String field, JsonNode node) throws DatasetException {
        if (!node.isArray()) {
            return row.text(field, node);
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : node) {
            if (!part.path("type").asText().equals("text")) {
                throw row.error(
                        field,
                        "has a part of type " + part.path("type")
                                + "; only text parts can be learned from. Remove the row.");
            }
            text.append(row.text(field, part.path("text")));
        }
        return text.toString();
    }
}
