package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Map;

/**
 * A tokenizer for tests: ids 0, 1, 2 … are the letters a, b, c …, the last id is the special token {@code <|end|>}. With
 * two or three letters every response of a few tokens can be listed.
 */
public final class LetterTokenizer implements Tokenizer {

    /** Name of the stop token. */
    public static final String END = "<|end|>";

    private final int letters;

    /**
     * A tokenizer of this many letters.
     *
     * @param letters in [1, 26]
     */
    public LetterTokenizer(int letters) {
        if (letters < 1 || letters > 26) {
            throw new IllegalArgumentException("a LetterTokenizer has 1 to 26 letters, got " + letters);
        }
        this.letters = letters;
    }

    /** The id of {@code <|end|>}. */
    public int end() {
        return letters;
    }

    @Override
    public TokenSequence encode(String text) {
        return TokenSequence.of(text.chars().map(this::id).toArray());
    }

    private int id(int character) {
        if (character < 'a' || character >= 'a' + letters) {
            throw new IllegalArgumentException("this tokenizer knows the letters a to " + (char) ('a' + letters - 1)
                    + ", got '" + (char) character + "'");
        }
        return character - 'a';
    }

    @Override
    public String decode(TokenSequence tokens) {
        StringBuilder text = new StringBuilder();
        tokens.stream().forEach(id -> text.append(text(id)));
        return text.toString();
    }

    private String text(int id) {
        if (id > letters) {
            throw new IllegalArgumentException("token id " + id + " lies outside the vocabulary [0, " + letters + "]");
        }
        return id == letters ? "" : String.valueOf((char) ('a' + id));
    }

    @Override
    public int vocabularySize() {
        return letters + 1;
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return Map.of(END, letters);
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        return new StreamingDecoder() {
            @Override
            public String accept(int token) {
                return text(token);
            }

            @Override
            public String finish() {
                return "";
            }
        };
    }
}
