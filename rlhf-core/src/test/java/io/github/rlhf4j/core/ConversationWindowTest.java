package io.github.rlhf4j.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ConversationWindowTest {

    private static final ChatFormat FORMAT =
            new RoleChatFormat(new ByteTokenizer(RoleChatFormat.specialTokens().toArray(String[]::new)));

    private static final Message SYSTEM = Message.system("rules"); // 6 tokens
    private static final Message HI = Message.user("hi"); // 3
    private static final Message HELLO = Message.assistant("hello"); // 7
    private static final Message BYE = Message.user("bye"); // 4, and 1 for the assistant's mark

    private static final Conversation CHAT = new Conversation(List.of(SYSTEM, HI, HELLO, BYE));

    private static ConversationWindow window(int promptTokens) {
        return new ConversationWindow(FORMAT, promptTokens + 8, 8);
    }

    @Test
    void whatFitsIsKeptWhole() {
        assertThat(window(21).fit(CHAT)).isEqualTo(CHAT);
    }

    @Test
    void theOldestExchangeGoesWholeTheSystemMessageStays() {
        assertThat(window(20).fit(CHAT).messages()).containsExactly(SYSTEM, BYE);
        assertThat(window(11).fit(CHAT).messages()).containsExactly(SYSTEM, BYE);
    }

    @Test
    void aLastMessageThatDoesNotFitIsAnErrorWithARemedy() {
        assertThatThrownBy(() -> window(10).fit(CHAT))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("prompt of 11 tokens", "room for 10", "shorten the message");
    }

    @Test
    void aGreetingIsKeptWhileItFits() {
        Conversation greeted = new Conversation(List.of(HELLO, BYE));
        assertThat(window(12).fit(greeted)).isEqualTo(greeted);
        assertThat(window(11).fit(greeted).messages()).containsExactly(BYE);
    }

    @Test
    void impossibleWindowsAndConversationsAreRefused() {
        assertThatThrownBy(() -> new ConversationWindow(FORMAT, 8, 8)).hasMessageContainingAll("[1, 8)", "got 8");
        assertThatThrownBy(() -> window(9).fit(new Conversation(List.of(SYSTEM))))
                .hasMessageContaining("no user message");
    }

    /** The result fits, ends as the conversation does, begins with a user message, and one more exchange would not fit. */
    @Property(tries = 300)
    void keepsAsMuchAsFits(
            @ForAll List<@IntRange(max = 20) Integer> lengths, @ForAll @IntRange(min = 30, max = 120) int room) {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < lengths.size() / 2 * 2; i++) {
            String text = "x".repeat(lengths.get(i));
            messages.add(i % 2 == 0 ? Message.user(text) : Message.assistant(text));
        }
        messages.add(BYE);
        Conversation whole = new Conversation(messages);

        List<Message> kept = window(room).fit(whole).messages();

        assertThat(FORMAT.prompt(new Conversation(kept)).length()).isLessThanOrEqualTo(room);
        assertThat(kept.get(0).role()).isEqualTo(Role.USER);
        int dropped = messages.size() - kept.size();
        assertThat(kept).isEqualTo(messages.subList(dropped, messages.size()));
        if (dropped > 0) {
            Conversation more = new Conversation(messages.subList(dropped - 2, messages.size()));
            assertThat(FORMAT.prompt(more).length()).isGreaterThan(room);
        }
    }
}
