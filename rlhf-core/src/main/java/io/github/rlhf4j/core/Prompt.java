package io.github.rlhf4j.core;

/**
 * A conversation that waits for the assistant, and its tokens.
 *
 * @param conversation ends with a user message
 * @param tokens as the policy sees it, at least one
 */
public record Prompt(Conversation conversation, TokenSequence tokens) {

    public Prompt {
        if (tokens.isEmpty()) {
            throw new IllegalArgumentException("the prompt \"" + conversation.lastUserText() + "\" has no tokens");
        }
    }

    public static Prompt of(Conversation conversation, ChatFormat format) {
        return new Prompt(conversation, format.prompt(conversation));
    }
}
