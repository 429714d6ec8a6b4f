package io.github.rlhf4j.core;

import java.util.List;

/**
 * A conversation with the assistant turns a model should imitate; at least one, and one is its last.
 */
public record Demonstration(Conversation conversation) {

    public Demonstration {
        if (conversation.last().role() != Role.ASSISTANT) {
            throw new IllegalArgumentException("a demonstration ends with an assistant message, got one that ends with "
                    + conversation.last().role().label());
        }
    }

    public static Demonstration of(String prompt, String response) {
        return new Demonstration(Conversation.of(prompt).with(Message.assistant(response)));
    }

    /**
     * The last turn and what came before it, as a reward model judges it.
     *
     * @throws IllegalStateException when nothing comes before it
     */
    public Exchange lastExchange() {
        List<Message> messages = conversation.messages();
        int last = messages.size() - 1;
        if (last == 0) {
            throw new IllegalStateException(
                    "a demonstration of one message answers nothing; it needs a user message first");
        }
        return new Exchange(
                new Conversation(messages.subList(0, last)), messages.get(last).content());
    }
}
