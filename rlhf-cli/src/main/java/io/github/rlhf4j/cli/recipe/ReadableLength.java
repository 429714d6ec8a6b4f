package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;

/**
 * Cuts answers to what a reward model can read. An answer of broken characters reads as more tokens than it was written
 * with (each becomes U+FFFD, three bytes); it is garbage, and must cost a bad score, not the run.
 *
 * @param contextLength most tokens of prompt and answer
 */
record ReadableLength(Tokenizer tokenizer, ChatFormat format, int contextLength) {

    /** Whether there is room for an answer at all, be it empty. */
    boolean hasRoom(Exchange exchange) {
        return format.prompt(exchange.conversation()).length() < contextLength;
    }

    /** The exchange, its answer cut at the end when the whole is too long. */
    Exchange fit(Exchange exchange) {
        int prompt = format.prompt(exchange.conversation()).length();
        String text = exchange.response();
        int room = contextLength - prompt;
        int most = room;
        while (most > 0 && format.response(text).length() > room) {
            TokenSequence tokens = tokenizer.encode(exchange.response());
            text = tokenizer.decode(tokens.slice(0, Math.min(most, tokens.length())));
            most -= 3;
        }
        if (format.response(text).length() > room) {
            text = "";
        }
        return new Exchange(exchange.conversation(), text);
    }

    /** A reward model that reads what fits. */
    RewardModel reading(RewardModel model) {
        return batch -> model.score(batch.stream().map(this::fit).toList());
    }
}
