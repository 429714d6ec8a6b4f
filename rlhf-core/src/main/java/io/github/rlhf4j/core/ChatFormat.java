package io.github.rlhf4j.core;

import java.util.Set;

/**
 * How conversations become tokens. The one place where special tokens enter a sequence: message texts go through
 * {@link Tokenizer#encode}, which never yields one.
 */
public interface ChatFormat {

    /** The conversation, and whatever makes it the assistant's turn: what a response is sampled after. */
    TokenSequence prompt(Conversation conversation);

    /**
     * The tokens of an assistant's text including the stop token that ends the turn.
     */
    TokenSequence response(String text);

    /** A whole demonstration; the scored positions are the assistant turns with their stop tokens. */
    ScoredSequence demonstration(Demonstration demonstration);

    /** The tokens that end an assistant turn; at least one. */
    Set<Integer> stopTokens();

    /** Prompt and response as one sequence, response scored. */
    default ScoredSequence exchange(Exchange exchange) {
        return ScoredSequence.of(prompt(exchange.conversation()), response(exchange.response()));
    }
}
