package io.github.rlhf4j.core;

import java.util.Map;

/**
 * A reversible map between text and token ids; immutable, safe for use from many threads.
 *
 * <p>Special tokens (end of text, start of a turn) have ids but no spelling inside ordinary text: {@link #encode} never
 * produces one, so a user cannot inject a turn by typing {@code <|end|>}. Code that builds prompts asks for them by name.
 */
public interface Tokenizer {

    /** Encodes ordinary text; what looks like a special token in it is encoded as the characters it is spelled with. */
    TokenSequence encode(String text);

    /**
     * Decodes tokens to text. Special tokens are left out. Bytes that are no valid text (a character cut in half) become
     * U+FFFD.
     *
     * @throws IllegalArgumentException when an id lies outside the vocabulary
     */
    String decode(TokenSequence tokens);

    /** Number of ids, special tokens included; every id lies in {@code [0, vocabularySize)}. */
    int vocabularySize();

    /** Special tokens by name, for example {@code "<|endoftext|>"}; empty when there are none. */
    Map<String, Integer> specialTokens();

    /**
     * The id of a special token.
     *
     * @throws IllegalArgumentException naming those there are, when there is none of this name
     */
    default int specialToken(String name) {
        Integer id = specialTokens().get(name);
        if (id == null) {
            throw new IllegalArgumentException("the tokenizer has no special token " + name + "; it has "
                    + specialTokens().keySet() + ". Name it when training the tokenizer.");
        }
        return id;
    }

    /** A decoder for tokens as they arrive, which never emits half a character. */
    StreamingDecoder streamingDecoder();

    /** Decodes token by token; one per stream, not shared between threads. */
    interface StreamingDecoder {

        /** Takes one token and returns the text that is complete now, possibly empty. */
        String accept(int token);

        /** Ends the stream and returns what is left, incomplete characters as U+FFFD. */
        String finish();
    }
}
