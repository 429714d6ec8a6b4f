package io.github.rlhf4j.transformer.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PlainChatFormat;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;

/** Templates of our own formats say what the formats say. */
class ChatFormatsTest {

    private static final Tokenizer WITH_ROLES =
            tokenizer("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>");
    private static final Tokenizer WITHOUT = tokenizer("<|endoftext|>");

    private static Tokenizer tokenizer(String... special) {
        return new BytePairTrainer(300)
                .withSpecialTokens(special)
                .train(List.of("the cat sat on the mat, the end"))
                .tokenizer();
    }

    @Property(tries = 100)
    void theTemplateOfRolesMakesTheirTokens(
            @ForAll @Size(min = 1, max = 5) List<@StringLength(max = 12) String> texts, @ForAll boolean system) {
        String template = ChatFormats.templateFor(WITH_ROLES);
        assertThat(ChatFormats.of(template, WITH_ROLES)).isInstanceOf(RoleChatFormat.class);

        requireEqual(
                new TemplateChatFormat(ChatTemplate.of(template, "", ""), WITH_ROLES),
                new RoleChatFormat(WITH_ROLES),
                conversation(texts, system));
    }

    /** Conversations begin with the user: the plain format alone puts a token before an assistant that speaks first. */
    @Property(tries = 100)
    void withoutTokensForTurnsATextGoesOn(
            @ForAll @Size(min = 1, max = 5) List<@StringLength(min = 1, max = 12) String> texts) {
        Assume.that(texts.size() % 2 == 1);
        requireEqual(
                ChatFormats.of(ChatFormats.templateFor(WITHOUT), WITHOUT),
                new PlainChatFormat(WITHOUT),
                conversation(texts, false));
    }

    private static void requireEqual(ChatFormat format, ChatFormat expected, List<Message> messages) {
        Conversation conversation = new Conversation(messages);
        assertThat(format.prompt(conversation)).isEqualTo(expected.prompt(conversation));
        List<Message> answered = new ArrayList<>(messages);
        answered.add(Message.assistant("so it is"));
        Demonstration demonstration = new Demonstration(new Conversation(answered));
        assertThat(format.demonstration(demonstration)).isEqualTo(expected.demonstration(demonstration));
        assertThat(format.response("yes")).isEqualTo(expected.response("yes"));
        assertThat(format.stopTokens()).isEqualTo(expected.stopTokens());
    }

    /** Alternates, and ends with the user's turn. */
    private static List<Message> conversation(List<String> texts, boolean system) {
        List<Message> messages = new ArrayList<>();
        if (system) {
            messages.add(Message.system("Be brief."));
        }
        for (int i = 0; i < texts.size(); i++) {
            boolean users = (texts.size() - i) % 2 == 1;
            messages.add(users ? Message.user(texts.get(i)) : Message.assistant(texts.get(i)));
        }
        return messages;
    }

    @Example
    void aTokenizerWithoutAnyEndIsRefusedWithARemedy() {
        CharacterTokenizer characters = CharacterTokenizer.fromTexts(List.of("abc"));
        assertThatThrownBy(() -> ChatFormats.templateFor(characters))
                .hasMessageContaining("no special token that could end an answer")
                .hasMessageContaining("<|endoftext|>");
    }
}
