package io.github.rlhf4j.core;

/**
 * A prompt (or conversation so far) and one response to it: what a reward model judges.
 *
 * @param conversation ends with a user message
 * @param response the assistant's text, without special tokens
 */
public record Exchange(Conversation conversation, String response) {

    /** A response to a plain prompt. */
    public static Exchange of(String prompt, String response) {
        return new Exchange(Conversation.of(prompt), response);
    }

    /** The last user message: the prompt. */
    public String prompt() {
        return conversation.lastUserText();
    }

    /** The conversation with the response as its last turn. */
    public Conversation transcript() {
        return conversation.with(Message.assistant(response));
    }
}
