package io.github.rlhf4j.core.data;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Prompts to sample responses for. A file whose name ends in {@code .jsonl}, {@code .ndjson} or {@code .json} (also with
 * {@code .gz}) has a prompt per row: a text, or an object with {@code prompt}, {@code messages}, {@code conversations},
 * {@code instruction} or {@code question}, or an Open Assistant tree; any other file has one per line.
 */
public final class PromptFiles {

    private static final List<String> SHAPES = List.of(
            "a text by itself",
            "prompt (text or messages)",
            "messages [{role, content}]",
            "conversations [{from, value}]",
            "instruction/input",
            "question",
            "Open Assistant trees");

    private PromptFiles() {}

    /**
     * All prompts of a file, each a conversation that ends with a user message.
     *
     * @throws DatasetException naming line, field and remedy where the file is not such a dataset
     */
    public static List<Conversation> read(Path file) throws IOException {
        List<Conversation> prompts = new ArrayList<>();
        forEach(file, prompts::add);
        return prompts;
    }

    /** Passes the prompts of a file on one by one, in its order; for files larger than the memory. */
    public static void forEach(Path file, Consumer<? super Conversation> consumer) throws IOException {
        if (TextFiles.isJson(file)) {
            JsonRows.forEach(file, row -> consumer.accept(prompt(row)));
        } else {
            TextFiles.forEach(file, TextFiles.Split.LINES, line -> consumer.accept(Conversation.of(line)));
        }
    }

    private static Conversation prompt(Row row) throws DatasetException {
        if (row.value().isTextual()) {
            return new Conversation(List.of(Message.user(row.value().textValue())));
        }
        row.requireObject();
        if (MessageTree.is(row)) {
            return MessageTree.rootPrompt(row);
        } else if (Conversations.hasPrompt(row)) {
            return Conversations.prompt(row);
        }
        throw row.noShape("prompt", SHAPES);
    }
}
