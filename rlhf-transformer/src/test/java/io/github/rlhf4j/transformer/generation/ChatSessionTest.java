package io.github.rlhf4j.transformer.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A conversation that is kept in the window. */
class ChatSessionTest {

    private static final PieceTokenizer TOKENIZER = new PieceTokenizer("Hello", " there");

    /** Texts one after the other, a line each; the model's turn ends with {@code <|end|>}. */
    private static final ChatFormat LINES = new ChatFormat() {
        @Override
        public TokenSequence prompt(Conversation conversation) {
            StringBuilder text = new StringBuilder();
            conversation.messages().forEach(message -> text.append(message.content())
                    .append('\n'));
            return TOKENIZER.encode(text.toString());
        }

        @Override
        public TokenSequence response(String text) {
            return TOKENIZER.encode(text).concat(TokenSequence.of(TOKENIZER.end()));
        }

        @Override
        public ScoredSequence demonstration(Demonstration demonstration) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Set<Integer> stopTokens() {
            return Set.of(TOKENIZER.end());
        }
    };

    /** Prompts the model was given, as text. */
    private final List<String> prompts = new ArrayList<>();

    /** Replies "Hello there" after each newline. */
    private ChatSession session(int contextLength, List<Message> opening) {
        Generator generator = new Generator(
                TOKENIZER,
                () -> new FakeSession(contextLength, tokens -> {
                    int last = tokens[tokens.length - 1];
                    if (last == '\n') {
                        prompts.add(TOKENIZER.decode(TokenSequence.of(tokens)));
                    }
                    float[] logits = new float[TOKENIZER.vocabularySize()];
                    int hello = TOKENIZER.piece("Hello");
                    logits[last == '\n' ? hello : last == hello ? TOKENIZER.piece(" there") : TOKENIZER.end()] = 100;
                    return logits;
                }));
        return new ChatSession(generator, LINES, contextLength, Sampling.exact(10, 1.0, Set.of()), 1, opening);
    }

    @Test
    void aReplyIsStreamedAndRemembered() {
        ChatSession chat = session(200, List.of(Message.system("sys")));
        List<String> streamed = new ArrayList<>();
        assertThat(chat.say("one", streamed::add)).isEqualTo("Hello there");
        assertThat(streamed).containsExactly("Hello", " there");
        chat.say("two", text -> {});
        assertThat(prompts).containsExactly("sys\none\n", "sys\none\nHello there\ntwo\n");
        assertThat(chat.messages())
                .containsExactly(
                        Message.system("sys"),
                        Message.user("one"),
                        Message.assistant("Hello there"),
                        Message.user("two"),
                        Message.assistant("Hello there"));
        chat.clear();
        assertThat(chat.messages()).containsExactly(Message.system("sys"));
    }

    @Test
    void theOldestExchangesAreForgottenAndTheSystemMessageStays() {
        ChatSession chat = session(10 + 30, List.of(Message.system("sys")));
        for (int i = 0; i < 5; i++) {
            chat.say("turn" + i, text -> {});
        }
        assertThat(prompts.get(4)).isEqualTo("sys\nturn3\nHello there\nturn4\n");
        assertThat(prompts).allMatch(prompt -> prompt.length() <= 30);
    }

    @Test
    void aMessageThatDoesNotFitLeavesTheConversationAsItWas() {
        ChatSession chat = session(40, List.of());
        chat.say("hi", text -> {});
        List<Message> before = chat.messages();
        assertThatThrownBy(() -> chat.say("x".repeat(60), text -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("61 tokens")
                .hasMessageContaining("shorten the message");
        assertThat(chat.messages()).isEqualTo(before);
    }
}
