package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextAndPromptFilesTest {

    @TempDir
    Path directory;

    private Path file(String name, String content) throws IOException {
        return Files.writeString(directory.resolve(name), content);
    }

    @Test
    void aTextIsDividedAsAsked() throws IOException {
        Path file = file("corpus.txt", "a\r\n b\r\n \r\n\r\nc\n<|endoftext|>\nd");
        assertThat(TextFiles.read(file)).containsExactly("a\n b", "c\n<|endoftext|>\nd");
        assertThat(TextFiles.read(file, TextFiles.Split.LINES)).containsExactly("a", " b", "c", "<|endoftext|>", "d");
        assertThat(TextFiles.read(file, TextFiles.Split.END_OF_TEXT_LINES)).containsExactly("a\n b\n \n\nc", "d");
        assertThat(TextFiles.read(file, TextFiles.Split.WHOLE_FILE))
                .containsExactly("a\n b\n \n\nc\n<|endoftext|>\nd\n");
    }

    @Test
    void jsonLinesHaveADocumentPerRow() throws IOException {
        assertThat(TextFiles.read(file("c.jsonl", "{\"text\":\"a\\n\\nb\"}\n{\"text\":\"c\"}\n")))
                .containsExactly("a\n\nb", "c");
        assertThatThrownBy(() -> TextFiles.read(file("c.jsonl", "{\"text\":\"a\"}\n{\"txt\":\"c\"}\n")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("c.jsonl, line 2", "\"text\" is missing", "remove the row");
        assertThatThrownBy(() -> TextFiles.read(file("c.jsonl", "3\n"))).hasMessageContaining("must be a JSON object");
    }

    @Test
    void emptyAndTooSmallCorporaAreRefused() throws IOException {
        assertThatThrownBy(() -> TextFiles.read(file("empty.txt", "")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("empty.txt has no text", "at least one line");
        assertThatThrownBy(() -> TextFiles.read(file("blank.txt", "\n \n\t\n"))).hasMessageContaining("no text");
        Path oneLine = file("one.txt", "just this");
        assertThatThrownBy(() -> TextFiles.requireDocuments(
                        oneLine, TextFiles.read(oneLine), 2, "pretraining with a held-out part"))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("one.txt has 1 document,", "pretraining with", "at least 2", "give more text");
        assertThat(TextFiles.requireDocuments("c", List.of("a", "b"), 2, "x")).hasSize(2);
    }

    @Test
    void malformedUtf8InATextNamesTheLine() throws IOException {
        Path file = Files.write(directory.resolve("latin1.txt"), new byte[] {'a', '\n', 'b', (byte) 0xe9, 'c', '\n'});
        assertThatThrownBy(() -> TextFiles.read(file))
                .hasMessageContainingAll("latin1.txt, line 2", "byte 2", "not valid UTF-8");
    }

    @Test
    void promptsOnePerLineOrRow() throws IOException {
        assertThat(PromptFiles.read(file("p.txt", "a\n\n{b}\n")))
                .containsExactly(Conversation.of("a"), Conversation.of("{b}"));
        assertThat(
                        PromptFiles.read(
                                file(
                                        "p.jsonl",
                                        "{\"prompt\":\"a\"}\n\"b\"\n{\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
                                                + "{\"role\":\"user\",\"content\":\"c\"}]}\n{\"instruction\":\"d\",\"input\":\"e\"}\n")))
                .containsExactly(
                        Conversation.of("a"),
                        Conversation.of("b"),
                        new Conversation(List.of(Message.system("s"), Message.user("c"))),
                        Conversation.of("d\ne"));
    }

    @Test
    void brokenPromptsAreNamed() throws IOException {
        assertThatThrownBy(() -> PromptFiles.read(file("p.jsonl", "{\"prompt\":\"a\"}\n{\"text\":\"b\"}\n")))
                .isInstanceOf(DatasetException.class)
                .hasMessageContainingAll("p.jsonl, line 2", "[text]", "no prompt", "messages [{role, content}]");
        assertThatThrownBy(() -> PromptFiles.read(
                        file("p.jsonl", "{\"messages\":[{\"role\":\"assistant\",\"content\":\"b\"}]}\n")))
                .hasMessageContainingAll("line 1", "\"messages\" must end with a user message");
        assertThatThrownBy(() -> PromptFiles.read(file("p.txt", "\n"))).hasMessageContaining("no text");
    }
}
