package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Set;

/** An opening and how the story goes on, as llama2.c's models know stories: {@code <s>} stands before each, and so ends it. */
record StoryFormat(Tokenizer tokenizer) implements ChatFormat {

    private int boundary() {
        return tokenizer.specialToken("<s>");
    }

    @Override
    public TokenSequence prompt(Conversation conversation) {
        return TokenSequence.of(boundary()).concat(tokenizer.encode(conversation.lastUserText()));
    }

    @Override
    public TokenSequence response(String text) {
        return tokenizer.encode(text.strip()).concat(TokenSequence.of(boundary()));
    }

    @Override
    public ScoredSequence demonstration(Demonstration demonstration) {
        return exchange(demonstration.lastExchange());
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of(boundary());
    }
}
