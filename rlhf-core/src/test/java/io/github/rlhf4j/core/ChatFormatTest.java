package io.github.rlhf4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ChatFormatTest {

    private static final Tokenizer TOKENIZER = new ByteTokenizer(
            RoleChatFormat.SYSTEM,
            RoleChatFormat.USER,
            RoleChatFormat.ASSISTANT,
            RoleChatFormat.END,
            PlainChatFormat.END_OF_TEXT);
    private static final int END = 259;
    private static final int END_OF_TEXT = 260;
    private static final ChatFormat ROLES = new RoleChatFormat(TOKENIZER);
    private static final ChatFormat PLAIN = new PlainChatFormat(TOKENIZER);

    private static final Conversation TWO_TURNS = new Conversation(List.of(
            Message.system("be brief"),
            Message.user("hi"),
            Message.assistant("hello"),
            Message.user("bye"),
            Message.assistant("ciao")));

    /** Tokens spelled out, special ones by name. */
    private static String spell(TokenSequence tokens) {
        StringBuilder text = new StringBuilder();
        for (int id : tokens.toArray()) {
            text.append(
                    id < 256
                            ? String.valueOf((char) id)
                            : TOKENIZER.specialTokens().entrySet().stream()
                                    .filter(entry -> entry.getValue() == id)
                                    .findFirst()
                                    .orElseThrow()
                                    .getKey());
        }
        return text.toString();
    }

    private static String scored(ScoredSequence sequence) {
        int[] ids = Arrays.stream(sequence.positions())
                .map(position -> sequence.tokens().get(position))
                .toArray();
        return spell(TokenSequence.of(ids));
    }

    @Test
    void aRolePromptEndsWhereTheAssistantBegins() {
        assertThat(spell(ROLES.prompt(Conversation.of("hi")))).isEqualTo("<|user|>hi<|assistant|>");
        assertThat(spell(ROLES.response("hello"))).isEqualTo("hello<|end|>");
        assertThat(ROLES.stopTokens()).containsExactly(END);
    }

    @Test
    void aDemonstrationScoresTheAssistantsTurnsWithTheirStopTokens() {
        ScoredSequence sequence = ROLES.demonstration(new Demonstration(TWO_TURNS));
        assertThat(spell(sequence.tokens()))
                .isEqualTo("<|system|>be brief<|user|>hi<|assistant|>hello<|end|><|user|>bye<|assistant|>ciao<|end|>");
        assertThat(scored(sequence)).isEqualTo("hello<|end|>ciao<|end|>");
    }

    @Test
    void plainTextIsContinuedByText() {
        assertThat(spell(PLAIN.prompt(Conversation.of("once")))).isEqualTo("once");
        ScoredSequence sequence = PLAIN.demonstration(new Demonstration(TWO_TURNS));
        assertThat(spell(sequence.tokens())).isEqualTo("be briefhihello<|endoftext|>byeciao<|endoftext|>");
        assertThat(scored(sequence)).isEqualTo("hello<|endoftext|>ciao<|endoftext|>");
        assertThat(PLAIN.stopTokens()).containsExactly(END_OF_TEXT);
    }

    @Test
    void anEmptyPlainPromptBeginsWithEndOfText() {
        assertThat(spell(PLAIN.prompt(Conversation.of("")))).isEqualTo("<|endoftext|>");
        ScoredSequence unprompted = PLAIN.demonstration(Demonstration.of("", "text"));
        assertThat(spell(unprompted.tokens())).isEqualTo("<|endoftext|>text<|endoftext|>");
        assertThat(scored(unprompted)).isEqualTo("text<|endoftext|>");
    }

    /** What is sampled after the prompt of a conversation is, token for token, what its demonstration teaches. */
    @Property(tries = 200)
    void promptAndResponseAreTheDemonstration(@ForAll String user, @ForAll String assistant) {
        for (ChatFormat format : List.of(ROLES, PLAIN)) {
            assertThat(format.exchange(Exchange.of(user, assistant)))
                    .isEqualTo(format.demonstration(Demonstration.of(user, assistant)));
        }
    }

    /** No text puts a special token into a sequence: there are as many as the turns need. */
    @Property(tries = 200)
    void noTextInjectsASpecialToken(@ForAll String before, @ForAll String after) {
        for (String special : TOKENIZER.specialTokens().keySet()) {
            String hostile = before + special + after;
            assertThat(specials(ROLES.prompt(Conversation.of(hostile)))).isEqualTo(2);
            assertThat(specials(ROLES.response(hostile))).isEqualTo(1);
            assertThat(specials(PLAIN.prompt(Conversation.of(hostile)))).isZero();
        }
    }

    private static long specials(TokenSequence tokens) {
        return tokens.stream().filter(id -> id >= 256).count();
    }

    @Test
    void aPromptThatIsNotTheAssistantsTurnIsRefused() {
        for (ChatFormat format : List.of(ROLES, PLAIN)) {
            assertThatThrownBy(() -> format.prompt(TWO_TURNS))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("must end with a user", "5 messages", "Take that one off");
        }
    }

    @Test
    void aTokenizerWithoutTheSpecialTokensIsRefused() {
        assertThatThrownBy(() -> new RoleChatFormat(new ByteTokenizer("<|user|>")))
                .hasMessageContainingAll("no special token <|system|>", "[<|user|>]", "training the tokenizer");
        assertThatThrownBy(() -> new PlainChatFormat(new ByteTokenizer())).hasMessageContaining("<|endoftext|>");
    }
}
