package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What {@link Tokenizer} promises, as tests. Extend it and give your tokenizer. */
public abstract class TokenizerContract {

    /** The tokenizer under test; each call may give the same one. */
    protected abstract Tokenizer tokenizer();

    /** Texts that the tokenizer can spell; override for one of a small alphabet. */
    protected List<String> texts() {
        return List.of(
                "",
                "a",
                " ",
                "The cat sat on the mat, didn't it?",
                "  two spaces, a\ttab and\r\n\nlines ",
                "Grüße, 你好, здравствуйте, 😀👩‍👩‍👧, e\u0301",
                "if (x != 0) { return 3.14 / x; }");
    }

    @Test
    public void decodingGivesBackTheText() {
        for (String text : texts()) {
            assertEquals(text, tokenizer().decode(tokenizer().encode(text)), "decode(encode(text)) must be the text;");
        }
    }

    @Test
    public void everyIdLiesInTheVocabulary() {
        for (String text : texts()) {
            tokenizer().encode(text).stream().forEach(id -> requireInside(id, "of the text \"" + text + "\""));
        }
        tokenizer().specialTokens().forEach((name, id) -> requireInside(id, "of the special token " + name));
        assertEquals(
                tokenizer().specialTokens().size(),
                new HashSet<>(tokenizer().specialTokens().values()).size(),
                "special tokens must have ids of their own; different ids of "
                        + tokenizer().specialTokens());
    }

    private void requireInside(int id, String where) {
        int size = tokenizer().vocabularySize();
        assertTrue(
                id >= 0 && id < size,
                () -> "every id must lie in [0, vocabularySize = " + size + "); " + id + " " + where);
    }

    /** Else a user could inject a turn by typing its name. A tokenizer that cannot spell the name may refuse it. */
    @Test
    public void textNeverBecomesASpecialToken() {
        for (String name : tokenizer().specialTokens().keySet()) {
            TokenSequence tokens;
            try {
                tokens = tokenizer().encode(name);
            } catch (IllegalArgumentException cannotSpellIt) {
                continue;
            }
            assertTrue(
                    tokens.stream().noneMatch(tokenizer().specialTokens()::containsValue),
                    () -> "text must never become a special token; encode(\"" + name + "\") gave " + tokens);
            assertEquals(name, tokenizer().decode(tokens), "the name of a special token is ordinary text;");
        }
    }

    @Test
    public void specialTokensHaveNoText() {
        for (String text : texts()) {
            tokenizer().specialTokens().forEach((name, id) -> {
                TokenSequence special = TokenSequence.of(id);
                TokenSequence tokens = special.concat(tokenizer().encode(text)).concat(special);
                assertEquals(text, tokenizer().decode(tokens), "decode must leave out the special token " + name + ";");
            });
        }
    }

    /** Whole texts, and texts whose first and last token were cut off, perhaps in the middle of a character. */
    @Test
    public void theStreamPutTogetherIsTheDecodedText() {
        for (String text : texts()) {
            TokenSequence tokens = tokenizer().encode(text);
            assertStreams(tokens);
            if (tokens.length() > 2) {
                assertStreams(tokens.slice(1, tokens.length() - 1));
            }
        }
    }

    private void assertStreams(TokenSequence tokens) {
        Tokenizer.StreamingDecoder decoder = tokenizer().streamingDecoder();
        StringBuilder streamed = new StringBuilder();
        for (int id : tokens.toArray()) {
            String piece = decoder.accept(id);
            assertTrue(
                    piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)),
                    () -> "a stream must never emit half a character; after token " + id + " of " + tokens
                            + " it emitted \"" + piece + "\"");
            streamed.append(piece);
        }
        streamed.append(decoder.finish());
        assertEquals(
                tokenizer().decode(tokens),
                streamed.toString(),
                "what a stream emits, put together, must be decode's text; tokens " + tokens + ":");
    }

    @Test
    public void anIdOutsideTheVocabularyIsRefused() {
        TokenSequence outside = TokenSequence.of(tokenizer().vocabularySize());
        assertThrows(
                IllegalArgumentException.class,
                () -> tokenizer().decode(outside),
                "decode must refuse the id vocabularySize;");
    }

    @Test
    public void manyThreadsGetTheSameTokens() {
        Tokenizer shared = tokenizer();
        for (String text : texts()) {
            TokenSequence expected = shared.encode(text);
            List<TokenSequence> encoded = Collections.nCopies(200, text).parallelStream()
                    .map(shared::encode)
                    .toList();
            assertEquals(Collections.nCopies(200, expected), encoded, "encode must be safe for use from many threads;");
        }
    }
}
