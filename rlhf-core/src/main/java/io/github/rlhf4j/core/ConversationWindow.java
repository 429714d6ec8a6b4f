package io.github.rlhf4j.core;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a conversation that has grown too long down to the turns a model can attend to: leading system messages and the last
 * user message always stay; between them, the most recent exchanges that fit, each whole, so that what is left begins
 * with a user message.
 */
public final class ConversationWindow {

    private final ChatFormat format;
    private final int maxPromptTokens;

    /**
     * @param contextLength tokens the model attends to, prompt and response together
     * @param responseRoom tokens to leave for the response, in {@code [1, contextLength)}
     */
    public ConversationWindow(ChatFormat format, int contextLength, int responseRoom) {
        if (responseRoom < 1 || responseRoom >= contextLength) {
            throw new IllegalArgumentException("room for the response must lie in [1, " + contextLength
                    + "), the context length, got " + responseRoom + "; ask for fewer new tokens");
        }
        this.format = format;
        this.maxPromptTokens = contextLength - responseRoom;
    }

    /** The largest number of tokens a prompt may have. */
    public int maxPromptTokens() {
        return maxPromptTokens;
    }

    /**
     * The conversation without its oldest exchanges, such that its prompt has at most {@link #maxPromptTokens()} tokens.
     *
     * @param conversation ends with a user message
     * @throws IllegalArgumentException when system and last user message alone are too long
     */
    public Conversation fit(Conversation conversation) {
        List<Message> messages = conversation.messages();
        int system = leadingSystemMessages(messages);
        int start = lastUserMessage(messages);
        Conversation fitting = from(messages, system, start);
        requireFits(fitting);
        for (int i = start - 1; i >= system; i--) {
            if (messages.get(i).role() == Role.USER || i == system) {
                Conversation longer = from(messages, system, i);
                if (length(longer) > maxPromptTokens) {
                    break;
                }
                fitting = longer;
            }
        }
        return fitting;
    }

    private void requireFits(Conversation shortest) {
        int tokens = length(shortest);
        if (tokens > maxPromptTokens) {
            throw new IllegalArgumentException("the last message needs a prompt of " + tokens
                    + " tokens, but the window has"
                    + " room for " + maxPromptTokens + " beside the response; shorten the message, ask for fewer new"
                    + " tokens, or use a model with a longer context");
        }
    }

    private int length(Conversation conversation) {
        return format.prompt(conversation).length();
    }

    private static int leadingSystemMessages(List<Message> messages) {
        int count = 0;
        while (count < messages.size() && messages.get(count).role() == Role.SYSTEM) {
            count++;
        }
        return count;
    }

    private static int lastUserMessage(List<Message> messages) {
        for (int i = messages.size() - 1; i >= 0; i--) {
            if (messages.get(i).role() == Role.USER) {
                return i;
            }
        }
        throw new IllegalArgumentException("the conversation has no user message to answer");
    }

    private static Conversation from(List<Message> messages, int system, int start) {
        List<Message> kept = new ArrayList<>(messages.subList(0, system));
        kept.addAll(messages.subList(start, messages.size()));
        return new Conversation(kept);
    }
}
