package io.github.rlhf4j.core.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PreferenceFilesTest {

    private static final String GOOD = "{\"prompt\":\"q\",\"chosen\":\"good\",\"rejected\":\"bad\"}\n";
    private static final Ranking PAIR = Ranking.ofPair(Conversation.of("q"), "good", "bad");

    @TempDir
    Path directory;

    private PreferenceDataset read(String content) throws IOException {
        return PreferenceFiles.read(Files.writeString(directory.resolve("pairs.jsonl"), content));
    }

    static Stream<String> spellingsOfOnePair() {
        String user = "{\"role\":\"user\",\"content\":\"q\"}";
        String good = "{\"role\":\"assistant\",\"content\":\"good\"}";
        String bad = "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"bad\"}]}";
        return Stream.of(
                GOOD,
                "{\"question\":\"q\",\"chosen\":\"good\",\"rejected\":\"bad\"}",
                "{\"instruction\":\"q\",\"input\":\"\",\"chosen\":\"good\",\"rejected\":\"bad\"}",
                "{\"prompt\":[" + user + "],\"chosen\":\"good\",\"rejected\":\"bad\"}",
                "{\"prompt\":[" + user + "],\"chosen\":[" + good + "],\"rejected\":[" + bad + "]}",
                "{\"messages\":[" + user + "],\"chosen\":" + good + ",\"rejected\":" + bad + "}",
                "{\"prompt\":\"q\",\"chosen\":[" + user + "," + good + "],\"rejected\":[" + user + "," + bad + "]}",
                "{\"chosen\":[" + user + "," + good + "],\"rejected\":[" + user + "," + bad + "]}",
                "{\"conversations\":[{\"from\":\"human\",\"value\":\"q\"}],"
                        + "\"chosen\":{\"from\":\"gpt\",\"value\":\"good\"},"
                        + "\"rejected\":{\"from\":\"gpt\",\"value\":\"bad\"}}",
                "{\"chosen\":\"\\n\\nHuman: q\\n\\nAssistant: good\",\"rejected\":\"\\n\\nHuman: q\\n\\nAssistant: bad\"}",
                "{\"prompt\":\"\\n\\nHuman: q\\n\\nAssistant:\",\"chosen\":\"good\",\"rejected\":\"bad\"}",
                "{\"prompt\":\"q\",\"responses\":[\"good\",\"bad\"],\"ranks\":[0,1]}",
                "{\"message_tree_id\":\"1\",\"prompt\":{\"text\":\"q\",\"role\":\"prompter\",\"replies\":["
                        + "{\"text\":\"gone\",\"rank\":2,\"deleted\":true},{\"text\":\"good\",\"rank\":0},"
                        + "{\"text\":\"unranked\"},{\"text\":\"bad\",\"rank\":1}]}}");
    }

    @ParameterizedTest
    @MethodSource("spellingsOfOnePair")
    void everyAcceptedSpellingSaysTheSame(String row) throws IOException {
        assertThat(read(row)).containsExactly(PAIR);
    }

    @Test
    void transcriptsThatPartEarlierAreComparedFromThere() throws IOException {
        String chosen = "\\n\\nHuman: a\\n\\nAssistant: b\\n\\nHuman: c\\n\\nAssistant: d";
        String rejected = "\\n\\nHuman: a\\n\\nAssistant: x";
        assertThat(read("{\"chosen\":\"" + chosen + "\",\"rejected\":\"" + rejected + "\"}"))
                .containsExactly(Ranking.ofPair(Conversation.of("a"), "b\n\nHuman: c\n\nAssistant: d", "x"));
    }

    @Test
    void aSystemTextGoesInFront() throws IOException {
        assertThat(read("{\"system\":\"s\",\"prompt\":\"q\",\"chosen\":\"good\",\"rejected\":\"bad\"}"))
                .containsExactly(Ranking.ofPair(
                        new Conversation(List.of(Message.system("s"), Message.user("q"))), "good", "bad"));
    }

    static Stream<Arguments> brokenRows() {
        String user = "{\"role\":\"user\",\"content\":\"q\"}";
        return Stream.of(
                Arguments.of(
                        "{\"prompt\":\"q\",\"chosen\":\"same\",\"rejected\":\"same\"}",
                        new String[] {"\"chosen\"", "equals \"rejected\"", "no winner", "remove the row"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"rejected\":\"bad\"}",
                        new String[] {"\"chosen\" is missing", "no winner", "fill it in"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"chosen\":\"good\",\"rejected\":null}",
                        new String[] {"\"rejected\" is missing", "no winner"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"chosen\":7,\"rejected\":\"bad\"}",
                        new String[] {"\"chosen\"", "is a number"}),
                Arguments.of(
                        "{\"prompt\":7,\"chosen\":\"good\",\"rejected\":\"bad\"}",
                        new String[] {"\"prompt\" must be a text, but is a number"}),
                Arguments.of(
                        "{\"prompt\":[],\"chosen\":\"good\",\"rejected\":\"bad\"}",
                        new String[] {"\"prompt\"", "at least one message", "empty"}),
                Arguments.of(
                        "{\"chosen\":\"good\",\"rejected\":\"bad\"}",
                        new String[] {"\"chosen\"", "Human:", "add the prompt"}),
                Arguments.of(
                        "{\"chosen\":\"Human: a\\n\\nAssistant: b\",\"rejected\":\"Human: x\\n\\nAssistant: b\"}",
                        new String[] {"\"rejected\"", "same \"Human:\" turn"}),
                Arguments.of(
                        "{\"chosen\":\"Human: a\\n\\nAssistant: b\",\"rejected\":\"Human: a\\n\\nAssistant: b\"}",
                        new String[] {"no winner"}),
                Arguments.of(
                        "{\"prompt\":[" + user + ",{\"role\":\"assistant\",\"content\":\"a\"}],\"chosen\":\"good\","
                                + "\"rejected\":\"bad\"}",
                        new String[] {"\"prompt\" must end with a user message", "ends with assistant"}),
                Arguments.of(
                        "{\"prompt\":[{\"role\":\"tool\",\"content\":\"q\"}],\"chosen\":\"good\",\"rejected\":\"bad\"}",
                        new String[] {"\"prompt[0].role\" is \"tool\"", "user, human, prompter"}),
                Arguments.of(
                        "{\"prompt\":[{\"text\":\"q\"}],\"chosen\":\"good\",\"rejected\":\"bad\"}",
                        new String[] {"\"prompt[0]\" must be a message"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"chosen\":" + user + ",\"rejected\":\"bad\"}",
                        new String[] {"\"chosen\"", "assistant message", "role is user"}),
                Arguments.of(
                        "{\"chosen\":[" + user + "," + user.replace("user", "assistant") + "],\"rejected\":["
                                + user.replace("q", "other") + "," + user.replace("user", "assistant") + "]}",
                        new String[] {"\"rejected\"", "same messages as \"chosen\" but for the last"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"responses\":[\"a\",\"b\"],\"ranks\":[1,1]}",
                        new String[] {"\"ranks\" are all tied", "no winner"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"responses\":[\"a\",\"b\"],\"ranks\":[0]}",
                        new String[] {"2 responses and 1 ranks", "correct \"responses\""}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"responses\":[\"a\",\"b\"]}", new String[] {"\"ranks\" must be an array"}),
                Arguments.of(
                        "{\"prompt\":\"q\",\"responses\":[\"a\",\"b\"],\"ranks\":[0,0.5]}",
                        new String[] {"\"ranks\" must hold integers", "0.5"}),
                Arguments.of(
                        "{\"prompt\":{\"text\":\"q\",\"replies\":[{\"text\":\"a\",\"rank\":0},{\"text\":\"b\",\"rank\":0}]}}",
                        new String[] {"\"prompt.replies\"", "same rank"}),
                Arguments.of(
                        "{\"prompt\":{\"text\":\"q\",\"replies\":[{\"rank\":0}]}}",
                        new String[] {"\"prompt.replies[0].text\" is missing"}),
                Arguments.of("{\"text\":\"q\",\"label\":1}", new String[] {
                    "[text, label]", "no preference", "prompt/chosen/rejected", "prompt/responses/ranks"
                }),
                Arguments.of("17", new String[] {"must be a JSON object, but is a number"}));
    }

    @ParameterizedTest
    @MethodSource("brokenRows")
    void aBrokenRowIsNamedWithLineFieldAndRemedy(String row, String... parts) {
        assertThatThrownBy(() -> read(GOOD + "\n" + row + "\n"))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("pairs.jsonl, line 3")
                .hasMessageContainingAll(parts);
    }

    @Test
    void treesWithoutRankedRepliesAreNothingToLearnFrom() {
        assertThatThrownBy(() -> read("{\"prompt\":{\"text\":\"q\",\"replies\":[{\"text\":\"a\"}]}}"))
                .hasMessageContainingAll("no prompt with two ranked replies");
    }

    @Test
    void rankingsComeBackAsWritten() throws IOException {
        List<Ranking> rankings = List.of(
                PAIR,
                new Ranking(
                        new Conversation(List.of(
                                Message.system("s\n\u2028"),
                                Message.user("x"),
                                Message.assistant(""),
                                Message.user("\ud83d"))),
                        List.of("a\u0000", "\ud83d\ude00", "<|end|>"),
                        List.of(2, 0, 2)));
        for (String name : List.of("kept.jsonl", "kept.jsonl.gz")) {
            Path file = directory.resolve(name);
            PreferenceFiles.write(file, rankings);
            assertThat(PreferenceFiles.read(file)).containsExactlyElementsOf(rankings);
        }
    }

    @Test
    void aWriteThatFailsLeavesTheOldFile() throws IOException {
        Path file = directory.resolve("kept.jsonl");
        PreferenceFiles.write(file, List.of(PAIR));
        Iterable<Ranking> failing = () -> {
            throw new IllegalStateException("the labeler hung up");
        };
        assertThatThrownBy(() -> PreferenceFiles.write(file, failing)).hasMessageContaining("hung up");
        assertThat(PreferenceFiles.read(file)).containsExactly(PAIR);
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left).containsExactly(file);
        }
    }
}
