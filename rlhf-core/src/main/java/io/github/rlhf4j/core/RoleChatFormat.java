package io.github.rlhf4j.core;

import java.util.List;
import java.util.Set;

/**
 * A chat format with a special token for each role: {@code <|system|>text<|user|>text<|assistant|>text<|end|>}. A turn
 * ends where the next role's token stands; only the assistant's ends with {@code <|end|>}, which it must learn to say.
 *
 * <p>Texts are encoded one by one, so a prompt's tokens do not depend on what follows, and no text can contain a role.
 */
public final class RoleChatFormat implements ChatFormat {

    public static final String SYSTEM = "<|system|>";
    public static final String USER = "<|user|>";
    public static final String ASSISTANT = "<|assistant|>";
    public static final String END = "<|end|>";

    private final Tokenizer tokenizer;
    private final int end;

    /**
     * @throws IllegalArgumentException when the tokenizer lacks one of {@link #specialTokens()}, naming it
     */
    public RoleChatFormat(Tokenizer tokenizer) {
        specialTokens().forEach(tokenizer::specialToken);
        this.tokenizer = tokenizer;
        this.end = tokenizer.specialToken(END);
    }

    /** The special tokens to name when training a tokenizer for this format. */
    public static List<String> specialTokens() {
        return List.of(SYSTEM, USER, ASSISTANT, END);
    }

    /**
     * The conversation followed by {@code <|assistant|>}.
     *
     * @throws IllegalArgumentException when the conversation already ends with the assistant's turn
     */
    @Override
    public TokenSequence prompt(Conversation conversation) {
        ChatTokens.requireAssistantsTurn(conversation);
        ChatTokens tokens = turns(conversation);
        tokens.add(tokenizer.specialToken(ASSISTANT));
        return tokens.sequence();
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
            tokens.add(tokenizer.specialToken(marker(message.role())));
            if (message.role() == Role.ASSISTANT) {
                tokens.addScored(response(message.content()));
            } else {
                tokens.add(tokenizer.encode(message.content()));
            }
        }
        return tokens;
    }

    private static String marker(Role role) {
        return switch (role) {
            case SYSTEM -> SYSTEM;
            case USER -> USER;
            case ASSISTANT -> ASSISTANT;
        };
    }
}
