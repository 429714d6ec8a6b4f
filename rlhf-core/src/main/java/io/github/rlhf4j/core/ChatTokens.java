package io.github.rlhf4j.core;

import com.google.common.primitives.ImmutableIntArray;

/** Tokens of a conversation as it is put together, and which of them the assistant said. */
final class ChatTokens {

    private final ImmutableIntArray.Builder ids = ImmutableIntArray.builder();
    private final ImmutableIntArray.Builder scored = ImmutableIntArray.builder();
    private int length;

    static void requireAssistantsTurn(Conversation conversation) {
        if (conversation.last().role() == Role.ASSISTANT) {
            throw new IllegalArgumentException("a prompt must end with a user (or system) message, so that it is the"
                    + " assistant's turn; this conversation of "
                    + conversation.messages().size()
                    + " messages ends with an assistant message. Take that one off, or use it as a demonstration.");
        }
    }

    void add(int token) {
        ids.add(token);
        length++;
    }

    void add(TokenSequence tokens) {
        tokens.stream().forEach(this::add);
    }

    void addScored(TokenSequence tokens) {
        for (int i = 0; i < tokens.length(); i++) {
            scored.add(length + i);
        }
        add(tokens);
    }

    boolean isEmpty() {
        return length == 0;
    }

    TokenSequence sequence() {
        return TokenSequence.of(ids.build().toArray());
    }

    ScoredSequence scored() {
        return ScoredSequence.of(sequence(), scored.build().toArray());
    }
}
