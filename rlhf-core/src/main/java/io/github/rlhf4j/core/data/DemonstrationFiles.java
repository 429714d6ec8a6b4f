package io.github.rlhf4j.core.data;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.internal.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Demonstrations for supervised fine-tuning, from JSON Lines (plain or gzip) or a JSON array. Each row may have one of these
 * shapes, told by its fields:
 *
 * <ul>
 *   <li>{@code prompt/response}, {@code prompt/completion}, {@code question/answer}: texts
 *   <li>{@code instruction/input/output} (Alpaca): input may be missing or empty, else it follows after a line break
 *   <li>{@code messages} (OpenAI): a list of {@code role/content}
 *   <li>{@code conversations} (ShareGPT): a list of {@code from/value}
 *   <li>an Open Assistant tree: the ways down it that take the best reply at each turn
 * </ul>
 *
 * <p>A text {@code system} beside any of the first four becomes a leading system message.
 */
public final class DemonstrationFiles {

    private static final List<String> SHAPES = List.of(
            "prompt/response",
            "prompt/completion",
            "question/answer",
            "instruction/input/output",
            "messages [{role, content}]",
            "conversations [{from, value}]",
            "Open Assistant trees");

    private DemonstrationFiles() {}

    /**
     * All demonstrations of a file.
     *
     * @throws DatasetException naming line, field and remedy where the file is not such a dataset
     */
    public static List<Demonstration> read(Path file) throws IOException {
        List<Demonstration> demonstrations = new ArrayList<>();
        forEach(file, demonstrations::add);
        return demonstrations;
    }

    /** Passes the demonstrations of a file on one by one, in its order; for files larger than the memory. */
    public static void forEach(Path file, Consumer<? super Demonstration> consumer) throws IOException {
        JsonRows.forEach(file, row -> {
            row.requireObject();
            if (MessageTree.is(row)) {
                MessageTree.demonstrations(row).forEach(consumer);
            } else {
                consumer.accept(demonstration(row));
            }
        });
    }

    /** Writes demonstrations as {@code messages} rows, gzip when the name ends in {@code .gz}; {@link #read} gives them back. */
    public static void write(Path file, Iterable<Demonstration> demonstrations) throws IOException {
        try (JsonLinesWriter writer = new JsonLinesWriter(file)) {
            for (Demonstration demonstration : demonstrations) {
                writer.write(Json.object().set("messages", JsonLinesWriter.messages(demonstration.conversation())));
            }
            writer.commit();
        }
    }

    private static Demonstration demonstration(Row row) throws DatasetException {
        if (row.has("messages")) {
            return conversation(row, "messages");
        } else if (row.has("conversations")) {
            return conversation(row, "conversations");
        } else if (row.has("prompt", "response")) {
            return exchange(row, row.text("prompt"), "response");
        } else if (row.has("prompt", "completion")) {
            return exchange(row, row.text("prompt"), "completion");
        } else if (row.has("question", "answer")) {
            return exchange(row, row.text("question"), "answer");
        } else if (row.has("instruction", "output")) {
            return exchange(row, Conversations.instruction(row), "output");
        }
        throw row.noShape("demonstration", SHAPES);
    }

    private static Demonstration exchange(Row row, String prompt, String responseField) throws DatasetException {
        List<Message> messages = List.of(Message.user(prompt), Message.assistant(row.text(responseField)));
        return new Demonstration(new Conversation(Conversations.withSystem(row, messages)));
    }

    private static Demonstration conversation(Row row, String field) throws DatasetException {
        List<Message> messages = Conversations.messages(row, field, row.get(field));
        Role last = messages.get(messages.size() - 1).role();
        if (last != Role.ASSISTANT) {
            throw row.error(
                    field,
                    "must end with an assistant message, which is what is learned, but ends with " + last.label()
                            + "; remove that message or the row");
        }
        if (messages.stream().noneMatch(message -> message.role() == Role.USER)) {
            throw row.error(
                    field, "has no user message, which the assistant's answers; put one before it, or remove the row");
        }
        return new Demonstration(new Conversation(Conversations.withSystem(row, messages)));
    }
}
