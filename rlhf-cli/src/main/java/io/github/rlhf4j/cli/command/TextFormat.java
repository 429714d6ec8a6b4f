package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.FramedTokenizer;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** No turns: a text, and what follows it. It begins with what the model expects before a text, and ends where one ends. */
record TextFormat(Tokenizer tokenizer) implements ChatFormat {

    private static final Set<String> ENDS = Set.of("<|endoftext|>", "</s>", "<|end_of_text|>", "<eos>", "<|im_end|>");

    @Override
    public TokenSequence prompt(Conversation conversation) {
        String text = conversation.messages().stream().map(Message::content).collect(Collectors.joining("\n"));
        TokenSequence tokens = tokenizer.encode(text);
        if (tokenizer instanceof FramedTokenizer framed
                && framed.beginningOfText().isPresent()) {
            return TokenSequence.of(framed.beginningOfText().getAsInt()).concat(tokens);
        }
        return tokens;
    }

    @Override
    public TokenSequence response(String text) {
        return tokenizer.encode(text);
    }

    @Override
    public ScoredSequence demonstration(Demonstration demonstration) {
        return ScoredSequence.ofText(prompt(demonstration.conversation()));
    }

    @Override
    public Set<Integer> stopTokens() {
        Set<Integer> ends = new LinkedHashSet<>();
        tokenizer.specialTokens().forEach((text, id) -> {
            if (ENDS.contains(text)) {
                ends.add(id);
            }
        });
        if (tokenizer instanceof FramedTokenizer framed) {
            framed.frame().end().ifPresent(ends::add);
        }
        return ends;
    }
}
