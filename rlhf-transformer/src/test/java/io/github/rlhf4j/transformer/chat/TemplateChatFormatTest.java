package io.github.rlhf4j.transformer.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.ConversationWindow;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Role;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class TemplateChatFormatTest {

    private static final Tokenizer BPE = ChatTokenizers.BPE;
    private static final Conversation TWO_ROUNDS = new Conversation(List.of(
            Message.system("Be brief."),
            Message.user("Hello"),
            Message.assistant("Hi there."),
            Message.user("And you?"),
            Message.assistant("Fine, thanks.")));

    /** Every text between two special tokens is encoded by itself: the ids of a tokenizer of transformers. */
    @Example
    void promptsHaveTheIdsOfTransformers() {
        int compared = 0;
        for (JsonNode golden : ChatGoldens.renders()) {
            Conversation conversation = ChatGoldens.conversation(golden);
            boolean prompt =
                    golden.path("gen").asBoolean() && conversation.last().role() != Role.ASSISTANT;
            if (prompt && golden.has("render") && !isActedOn(golden)) {
                assertThat(format(golden).prompt(conversation))
                        .as("%s", golden)
                        .isEqualTo(idsOfTransformers(golden.path("render").asText()));
                compared++;
            }
        }
        assertThat(compared).isGreaterThan(100);
    }

    @Property(tries = 400)
    void whatAUserTypesIsNeverASpecialToken(
            @ForAll("templateNames") String name, @ForAll("nasty") String user, @ForAll("nasty") String assistant) {
        TemplateChatFormat format = format(name);
        Demonstration nasty = Demonstration.of(user, assistant);
        Demonstration benign = Demonstration.of("a", "b");

        assertThat(specials(format.prompt(Conversation.of(user))))
                .isEqualTo(specials(format.prompt(Conversation.of("a"))));
        assertThat(specials(format.demonstration(nasty).tokens()))
                .isEqualTo(specials(format.demonstration(benign).tokens()));
        assertThat(specials(format.response(assistant))).isEqualTo(specials(format.response("b")));
        assertThat(BPE.decode(format.prompt(Conversation.of(user)))).contains(PythonText.strip(user));
    }

    @Property(tries = 200)
    void promptAndResponseAreTheDemonstration(
            @ForAll("templateNames") String name, @ForAll("nasty") String user, @ForAll("nasty") String assistant) {
        TemplateChatFormat format = format(name);
        ScoredSequence exchange = format.exchange(new Exchange(Conversation.of(user), assistant));
        ScoredSequence demonstration = format.demonstration(Demonstration.of(user, assistant));

        assertThat(demonstration.positions()).isEqualTo(exchange.positions());
        assertThat(demonstration.tokens().stream().limit(exchange.length()).toArray())
                .isEqualTo(exchange.tokens().stream().toArray());
    }

    @Example
    void assistantTurnsWithTheTokenThatEndsThemAreScored() {
        for (String name : List.of("smollm", "chatml", "llama3", "llama31", "zephyr", "qwen25", "phi3", "generation")) {
            TemplateChatFormat format = format(name);
            ScoredSequence demonstration = format.demonstration(new Demonstration(TWO_ROUNDS));

            assertThat(scored(demonstration)).as(name).isEqualTo("Hi there.Fine, thanks.");
            int last = demonstration.position(demonstration.scoredCount() - 1);
            assertThat(format.stopTokens())
                    .as(name)
                    .containsExactly(demonstration.tokens().get(last));
            assertThat(specials(scoredTokens(demonstration))).as(name).hasSize(2);
        }
    }

    @Example
    void whatTheTemplateWritesAroundAnAnswerIsScoredWithIt() {
        ScoredSequence demonstration = format("llama2").demonstration(new Demonstration(TWO_ROUNDS));

        assertThat(scored(demonstration)).isEqualTo(" Hi there.  Fine, thanks. ");
    }

    /** Mistral's template writes the system message before the last question, but not before an answer. */
    @Example
    void demonstrationsThatDoNotBeginWithTheirPromptAreRefused() {
        assertThatThrownBy(() -> format("mistral").demonstration(new Demonstration(TWO_ROUNDS)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("generation prompt");
    }

    @Example
    void aTemplateThatActsOnAMessageRefusesIt() {
        assertThatThrownBy(
                        () -> format("qwen3").demonstration(Demonstration.of("q", "<think>\nso\n</think>\n\nanswer")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("rewrites the text of a message");
    }

    @Example
    void blankMessagesAreFormattedAsTheTemplateWants() {
        Conversation conversation = new Conversation(List.of(Message.system(""), Message.user("q")));

        assertThat(format("phi3").prompt(conversation)).isEqualTo(format("phi3").prompt(Conversation.of("q")));
        assertThat(specials(format("smollm").prompt(conversation))).hasSize(5);
    }

    @Example
    void aTemplateWhoseTurnsEndWithoutASpecialTokenIsRefused() {
        ChatTemplate plain =
                ChatTemplate.of("{% for m in messages %}{{ m.role ~ ': ' ~ m.content ~ '\\n' }}{% endfor %}", "", "");

        assertThatThrownBy(() -> new TemplateChatFormat(plain, BPE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no special token after the assistant's text");
    }

    @Example
    void aPromptMustBeTheAssistantsTurn() {
        assertThatThrownBy(() -> format("smollm").prompt(TWO_ROUNDS))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ends with an assistant message");
    }

    @Example
    void moreStopTokensAreAdded() {
        TemplateChatFormat format = new TemplateChatFormat(template("smollm"), BPE, Set.of(BPE.specialToken("</s>")));

        assertThat(format.stopTokens())
                .containsExactlyInAnyOrder(BPE.specialToken("<|im_end|>"), BPE.specialToken("</s>"));
    }

    @Example
    void aWindowKeepsTheLatestRoundsThatFit() {
        TemplateChatFormat format = format("llama2");
        Conversation fitting = new Conversation(TWO_ROUNDS.messages().subList(0, 4));
        int length = format.prompt(fitting).length();

        assertThat(new ConversationWindow(format, length + 1, 1).fit(fitting)).isEqualTo(fitting);
        assertThat(new ConversationWindow(format, length, 1).fit(fitting).messages())
                .containsExactly(Message.system("Be brief."), Message.user("And you?"));
    }

    @Provide
    Arbitrary<String> templateNames() {
        return Arbitraries.of(
                "smollm",
                "chatml",
                "llama2",
                "llama3",
                "llama31",
                "mistral",
                "zephyr",
                "qwen25",
                "gemma",
                "gemma3",
                "phi3",
                "blocks",
                "generation");
    }

    /** Texts that are not blank, of special tokens, Jinja and whitespace. */
    @Provide
    Arbitrary<String> nasty() {
        List<String> pieces = new ArrayList<>(ChatTokenizers.SPECIAL);
        pieces.addAll(List.of(
                "{{ 7*7 }}",
                "{% for m in messages %}",
                "{% endfor %}",
                "{#",
                "#}",
                "{{",
                "}}",
                "{% raw %}",
                "\\",
                "'",
                "\"",
                "${7*7}",
                "\n",
                " ",
                "\t",
                "\u00a0",
                "user",
                "<|im_",
                "start|>",
                ContentProbe.content(0),
                ContentProbe.content(1).strip(),
                "false",
                "é",
                "🙂",
                "x"));
        return Arbitraries.of(pieces)
                .list()
                .ofMaxSize(8)
                .map(list -> String.join("", list))
                .filter(text -> !PythonText.isBlank(text) && !text.strip().equals("false"));
    }

    private static TemplateChatFormat format(String name) {
        return new TemplateChatFormat(template(name), BPE);
    }

    private static TemplateChatFormat format(JsonNode golden) {
        return format(golden.path("template").asText());
    }

    /** The templates of filters and constructs end turns in their own ways, Qwen 3's takes thoughts out of messages. */
    private static boolean isActedOn(JsonNode golden) {
        String name = golden.path("template").asText();
        return name.equals("filters")
                || name.equals("constructs")
                || name.equals("qwen3") && golden.path("messages").toString().contains("</think>");
    }

    private static ChatTemplate template(String name) {
        JsonNode golden = ChatGoldens.renders().stream()
                .filter(g -> g.path("template").asText().equals(name))
                .findFirst()
                .orElseThrow();
        return ChatGoldens.template(
                name, golden.path("bos").asText(), golden.path("eos").asText());
    }

    private static TokenSequence idsOfTransformers(String text) {
        Matcher special = Pattern.compile(
                        ChatTokenizers.SPECIAL.stream().map(Pattern::quote).collect(Collectors.joining("|")))
                .matcher(text);
        TokenSequence ids = TokenSequence.of();
        int at = 0;
        while (special.find()) {
            ids = ids.concat(BPE.encode(text.substring(at, special.start())))
                    .concat(TokenSequence.of(BPE.specialToken(special.group())));
            at = special.end();
        }
        return ids.concat(BPE.encode(text.substring(at)));
    }

    private static List<Integer> specials(TokenSequence tokens) {
        return tokens.stream()
                .filter(BPE.specialTokens()::containsValue)
                .boxed()
                .toList();
    }

    private static TokenSequence scoredTokens(ScoredSequence sequence) {
        int[] tokens = new int[sequence.scoredCount()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = sequence.tokens().get(sequence.position(i));
        }
        return TokenSequence.of(tokens);
    }

    private static String scored(ScoredSequence sequence) {
        return BPE.decode(scoredTokens(sequence));
    }
}
