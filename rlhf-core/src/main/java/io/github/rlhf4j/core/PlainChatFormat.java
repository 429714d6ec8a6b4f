package io.github.rlhf4j.core;

import java.util.Set;

/**
 * Text continued by text: the prompt as it is, then the response and {@code <|endoftext|>}. For models that were only
 * pretrained, and for tasks such as "continue this review". Several turns follow one another without marks; only the
 * assistant's end with {@code <|endoftext|>}.
 *
 * <p>An empty prompt becomes {@code <|endoftext|>}, the token that stands before a document in pretraining.
 */
public final class PlainChatFormat implements ChatFormat {

    public static final String END_OF_TEXT = "<|endoftext|>";

    private final Tokenizer tokenizer;
    private final int end;

    /**
     * @throws IllegalArgumentException when the tokenizer has no {@code <|endoftext|>}
     */
    public PlainChatFormat(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        this.end = tokenizer.specialToken(END_OF_TEXT);
    }

    /**
     * @throws IllegalArgumentException when the conversation already ends with the assistant's turn
     */
    @Override
    public TokenSequence prompt(Conversation conversation) {
        ChatTokens.requireAssistantsTurn(conversation);
        ChatTokens tokens = turns(conversation);
        return tokens.isEmpty() ? TokenSequence.of(end) : tokens.sequence();
    }

    @Override
    public TokenSequence response(String text) {
        return tokenizer.encode(text).concat(TokenSequence.of(end));
    }

    @Override
    public ScoredSequence demonstration(Demonstration demonstration) {
        return turns(demonstration.conversation()).scored();
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of(end);
    }

    private ChatTokens turns(Conversation conversation) {
        ChatTokens tokens = new ChatTokens();
        for (Message message : conversation.messages()) {
            if (message.role() == Role.ASSISTANT) {
                if (tokens.isEmpty()) {
                    tokens.add(end); // the first scored token needs a context
                }
                tokens.addScored(response(message.content()));
            } else {
                tokens.add(tokenizer.encode(message.content()));
            }
        }
        return tokens;
    }
}
