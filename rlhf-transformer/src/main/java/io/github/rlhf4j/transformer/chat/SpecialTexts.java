package io.github.rlhf4j.transformer.chat;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The special tokens of a tokenizer as a template spells them, recognised in the template's own text only. */
final class SpecialTexts {

    /** A special token at characters {@code [start, end)} of a text. */
    record Special(int start, int end, int token) {}

    private final Tokenizer tokenizer;
    private final Pattern pattern;

    SpecialTexts(Tokenizer tokenizer) {
        if (tokenizer.specialTokens().isEmpty()) {
            throw new IllegalArgumentException("the tokenizer has no special tokens, so no turn could ever end;"
                    + " a chat template needs the tokenizer of its model");
        }
        this.tokenizer = tokenizer;
        this.pattern = Pattern.compile(tokenizer.specialTokens().keySet().stream()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(Pattern::quote)
                .collect(Collectors.joining("|")));
    }

    /** The special tokens that the template wrote, in order. */
    List<Special> in(RenderedConversation rendered) {
        List<Special> specials = new ArrayList<>();
        int from = 0;
        for (RenderedConversation.Content content : rendered.contents()) {
            find(rendered.text(), from, content.start(), specials);
            from = content.end();
        }
        find(rendered.text(), from, rendered.text().length(), specials);
        return specials;
    }

    private void find(String text, int from, int to, List<Special> specials) {
        Matcher special = pattern.matcher(text).region(from, to);
        while (special.find()) {
            specials.add(new Special(special.start(), special.end(), tokenizer.specialToken(special.group())));
        }
    }

    /** The tokens of characters {@code [from, to)}, all text between two special tokens encoded at once. */
    TokenSequence encode(String text, List<Special> specials, int from, int to) {
        TokenSequence tokens = TokenSequence.of();
        int at = from;
        for (Special special : specials) {
            if (special.start() >= from && special.end() <= to) {
                tokens = tokens.concat(tokenizer.encode(text.substring(at, special.start())))
                        .concat(TokenSequence.of(special.token()));
                at = special.end();
            }
        }
        return tokens.concat(tokenizer.encode(text.substring(at, to)));
    }
}
