package io.github.rlhf4j.core;

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
}
