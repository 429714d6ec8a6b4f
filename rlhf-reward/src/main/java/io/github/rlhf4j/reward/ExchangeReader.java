package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.ConversationWindow;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.TokenSequence;

/**
 * Turns exchanges into what a reward model reads: prompt, response and the stop token that ends it. Where that is more
 * than the model can read, the oldest turns are left out ({@link ConversationWindow}); the response never is.
 */
final class ExchangeReader {

    private final ChatFormat format;
    private final int contextLength;

    ExchangeReader(ChatFormat format, int contextLength) {
        this.format = format;
        this.contextLength = contextLength;
    }

    /**
     * The tokens to read; the score is read at the last of them.
     *
     * @throws IllegalArgumentException when last user message and response do not fit, naming the limit
     */
    TokenSequence tokens(Exchange exchange) {
        TokenSequence response = format.response(exchange.response());
        TokenSequence prompt = format.prompt(exchange.conversation());
        if (prompt.length() + response.length() > contextLength) {
            prompt = format.prompt(fit(exchange, response.length()));
        }
        return prompt.concat(response);
    }

    private Conversation fit(Exchange exchange, int responseTokens) {
        if (responseTokens >= contextLength) {
            throw new IllegalArgumentException("a response of " + responseTokens + " tokens (with its stop token) and a"
                    + " prompt do not fit the reward model's window of " + contextLength
                    + "; shorten the response, or use a model with a longer context. "
                    + RewardModels.describe(exchange));
        }
        try {
            return new ConversationWindow(format, contextLength, responseTokens).fit(exchange.conversation());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "prompt and response do not fit the reward model's window of " + contextLength + " tokens: "
                            + e.getMessage() + " " + RewardModels.describe(exchange),
                    e);
        }
    }
}
