package io.github.rlhf4j.core;

import java.util.ArrayList;
import java.util.List;

/**
 * The turns so far, oldest first; at least one. A plain prompt is a conversation of one user message.
 */
public record Conversation(List<Message> messages) {

    public Conversation {
        messages = List.copyOf(messages);
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("a conversation needs at least one message");
        }
    }

    /** A conversation of one user message. */
    public static Conversation of(String prompt) {
        return new Conversation(List.of(Message.user(prompt)));
    }

    public Conversation with(Message message) {
        List<Message> more = new ArrayList<>(messages);
        more.add(message);
        return new Conversation(more);
    }

    public Message last() {
        return messages.get(messages.size() - 1);
    }

    /** The content of the last user message; the whole prompt where there is one message. */
    public String lastUserText() {
        for (int i = messages.size() - 1; i >= 0; i--) {
            if (messages.get(i).role() == Role.USER) {
                return messages.get(i).content();
            }
        }
        throw new IllegalStateException("the conversation has no user message");
    }
}
