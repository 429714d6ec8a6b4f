package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The letters a to z as 0 to 25, and these special tokens after them. */
final class LetterTokenizer implements Tokenizer {

    private final Map<String, Integer> specials = new LinkedHashMap<>();

    LetterTokenizer(List<String> specials) {
        specials.forEach(name -> this.specials.put(name, 26 + this.specials.size()));
    }

    static LetterTokenizer withEndOfText() {
        return new LetterTokenizer(List.of(PackedDocuments.END_OF_TEXT));
    }

    @Override
    public TokenSequence encode(String text) {
        return TokenSequence.of(text.chars().map(c -> c - 'a').toArray());
    }

    @Override
    public String decode(TokenSequence tokens) {
        return tokens.stream()
                .filter(id -> id < 26)
                .mapToObj(id -> String.valueOf((char) ('a' + id)))
                .collect(Collectors.joining());
    }

    @Override
    public int vocabularySize() {
        return 26 + specials.size();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return specials;
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        throw new UnsupportedOperationException("not needed for training");
    }
}
