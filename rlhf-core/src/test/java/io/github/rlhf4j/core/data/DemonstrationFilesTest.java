package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemonstrationFilesTest {

    @TempDir
    Path directory;

    private List<Demonstration> read(String content) throws IOException {
        return DemonstrationFiles.read(Files.writeString(directory.resolve("demos.jsonl"), content));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"prompt\":\"q\",\"response\":\"a\"}",
                "{\"prompt\":\"q\",\"completion\":\"a\"}",
                "{\"question\":\"q\",\"answer\":\"a\"}",
                "{\"instruction\":\"q\",\"input\":\"\",\"output\":\"a\"}",
                "{\"instruction\":\"q\",\"output\":\"a\"}",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"}]}",
                "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},{\"from\":\"gpt\",\"value\":\"a\"}]}"
            })
    void everyAcceptedSpellingSaysTheSame(String row) throws IOException {
        assertThat(read(row)).containsExactly(Demonstration.of("q", "a"));
    }

    @Test
    void anInstructionsInputFollowsBelow() throws IOException {
        assertThat(read("{\"instruction\":\"add\",\"input\":\"1 2\",\"output\":\"3\"}"))
                .containsExactly(Demonstration.of("add\n1 2", "3"));
    }

    @Test
    void aSystemTextGoesInFront() throws IOException {
        assertThat(read("{\"system\":\"s\",\"conversations\":[{\"from\":\"human\",\"value\":\"q\"},"
                        + "{\"from\":\"gpt\",\"value\":\"a\"}]}"))
                .containsExactly(new Demonstration(
                        new Conversation(List.of(Message.system("s"), Message.user("q"), Message.assistant("a")))));
    }

    @Test
    void aTreeGivesTheWaysThatTakeTheBestReplies() throws IOException {
        String tree = "{\"prompt\":{\"text\":\"q\",\"replies\":["
                + "{\"text\":\"worse\",\"rank\":1,\"replies\":[{\"text\":\"u0\",\"replies\":[{\"text\":\"x\"}]}]},"
                + "{\"text\":\"best\",\"rank\":0,\"replies\":["
                + "{\"text\":\"u1\",\"replies\":[{\"text\":\"a1\",\"rank\":0},{\"text\":\"b1\",\"rank\":1}]},"
                + "{\"text\":\"u2\",\"replies\":[]}]}]}}";
        assertThat(read(tree))
                .containsExactly(new Demonstration(new Conversation(List.of(
                        Message.user("q"), Message.assistant("best"), Message.user("u1"), Message.assistant("a1")))));
    }

    static Stream<Arguments> brokenRows() {
        return Stream.of(
                Arguments.of("{\"prompt\":\"q\",\"response\":3}", new String[] {"\"response\" must be a text"}),
                Arguments.of("{\"prompt\":\"q\"}", new String[] {"[prompt]", "no demonstration", "prompt/response"}),
                Arguments.of("{}", new String[] {"[]", "instruction/input/output", "Rename the fields"}),
                Arguments.of("{\"messages\":[]}", new String[] {"\"messages\"", "at least one message"}),
                Arguments.of("{\"messages\":\"hi\"}", new String[] {"\"messages\" must be an array", "a string"}),
                Arguments.of(
                        "{\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}",
                        new String[] {"\"messages\" must end with an assistant message", "ends with user"}),
                Arguments.of(
                        "{\"messages\":[{\"role\":\"assistant\",\"content\":\"hi\"}]}",
                        new String[] {"\"messages\" has no user message", "put one before it"}),
                Arguments.of(
                        "{\"messages\":[{\"role\":\"assistant\",\"content\":null}]}",
                        new String[] {"\"messages[0].content\" must be a text, but is null"}),
                Arguments.of(
                        "{\"messages\":[{\"role\":\"assistant\",\"content\":[{\"type\":\"image\"}]}]}",
                        new String[] {"\"messages[0].content\"", "image", "only text"}),
                Arguments.of("[]", new String[] {"must be a JSON object, but is an array"}));
    }

    @ParameterizedTest
    @MethodSource("brokenRows")
    void aBrokenRowIsNamedWithLineFieldAndRemedy(String row, String... parts) {
        assertThatThrownBy(() -> read("{\"prompt\":\"q\",\"response\":\"a\"}\n" + row + "\n"))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("demos.jsonl, line 2")
                .hasMessageContainingAll(parts);
    }

    /** Whatever people say comes back as it was. */
    @Property(tries = 100)
    void demonstrationsComeBackAsWritten(@ForAll @Size(min = 1, max = 5) List<String> prompts, @ForAll String response)
            throws IOException {
        Path file = Files.createTempFile("demos", ".jsonl");
        try {
            List<Demonstration> written = prompts.stream()
                    .map(prompt -> Demonstration.of(prompt, response))
                    .toList();
            DemonstrationFiles.write(file, written);
            assertThat(DemonstrationFiles.read(file)).isEqualTo(written);
        } finally {
            Files.deleteIfExists(file);
        }
    }
}
