package io.github.rlhf4j.transformer.training;

import com.google.common.primitives.ImmutableIntArray;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.tokenizer.FramedTokenizer;
import io.github.rlhf4j.transformer.tokenizer.TextFrame;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;

/**
 * Documents as one long stream of tokens, with {@code <|endoftext|>} before, between and after them: what a language model
 * is pretrained on. A model that learns on it can start a document, and knows when to end one.
 */
public final class PackedDocuments {

    /** The special token between documents. */
    public static final String END_OF_TEXT = "<|endoftext|>";

    private final ImmutableIntArray tokens;
    private final long documents;
    private final long bytes;

    private PackedDocuments(ImmutableIntArray tokens, long documents, long bytes) {
        this.tokens = tokens;
        this.documents = documents;
        this.bytes = bytes;
    }

    /**
     * The token that stands before each document: {@code <|endoftext|>} where the tokenizer has it, else its beginning of a
     * text (LLaMA's {@code <s>}), else its end of a text. Empty where there is none of these.
     */
    public static OptionalInt separator(Tokenizer tokenizer) {
        Integer endOfText = tokenizer.specialTokens().get(END_OF_TEXT);
        if (endOfText != null) {
            return OptionalInt.of(endOfText);
        }
        if (!(tokenizer instanceof FramedTokenizer framed)) {
            return OptionalInt.empty();
        }
        TextFrame frame = framed.frame();
        return frame.beginning().isPresent() ? frame.beginning() : frame.end();
    }

    /**
     * Encodes and packs documents, with the {@link #separator} before each and after the last; empty ones are left out. With a
     * tokenizer that has none (of characters, say) there can only be one document, which is then the whole stream.
     *
     * @throws IllegalArgumentException when there is no text at all, or several documents and nothing to stand between them
     */
    public static PackedDocuments of(Tokenizer tokenizer, Iterable<String> documents) {
        OptionalInt separator = separator(tokenizer);
        ImmutableIntArray.Builder tokens = ImmutableIntArray.builder();
        long count = 0;
        long bytes = 0;
        for (String document : documents) {
            if (document.isEmpty()) {
                continue;
            }
            if (separator.isPresent()) {
                tokens.add(separator.getAsInt());
            } else if (count > 0) {
                throw new IllegalArgumentException("there are several documents and the tokenizer has no special token "
                        + END_OF_TEXT
                        + " to stand between them; train the tokenizer with it, or join the documents into"
                        + " one text");
            }
            append(tokens, tokenizer, document);
            bytes += document.getBytes(StandardCharsets.UTF_8).length;
            count++;
        }
        if (count == 0) {
            throw new IllegalArgumentException(
                    "the corpus is empty: it has no document with any text. Check the path and"
                            + " the format of the file it is read from");
        }
        separator.ifPresent(tokens::add);
        return new PackedDocuments(tokens.build(), count, bytes);
    }

    private static void append(ImmutableIntArray.Builder tokens, Tokenizer tokenizer, String document) {
        TokenSequence encoded = tokenizer.encode(document);
        for (int i = 0; i < encoded.length(); i++) {
            tokens.add(checked(encoded.get(i), i, tokenizer.vocabularySize()));
        }
    }

    /**
     * A stream that was encoded elsewhere; its bytes are not known.
     *
     * @throws IllegalArgumentException naming the first id outside {@code [0, vocabularySize)} and where it stands
     */
    public static PackedDocuments ofTokens(int[] ids, int vocabularySize) {
        for (int i = 0; i < ids.length; i++) {
            checked(ids[i], i, vocabularySize);
        }
        return new PackedDocuments(ImmutableIntArray.copyOf(ids), 1, 0);
    }

    private static int checked(int id, int index, int vocabularySize) {
        if (id < 0 || id >= vocabularySize) {
            throw new IllegalArgumentException("token " + id + " at index " + index
                    + " lies outside the vocabulary of " + vocabularySize + " (ids 0 to " + (vocabularySize - 1)
                    + "); encode the text with the tokenizer of the model");
        }
        return id;
    }

    /** Number of tokens, the separators included. */
    public int length() {
        return tokens.length();
    }

    /** Number of documents that are not empty. */
    public long documents() {
        return documents;
    }

    /** UTF-8 bytes of the documents; 0 when not known. */
    public long bytes() {
        return bytes;
    }

    /** The tokens from {@code from} (inclusive) to {@code to} (exclusive). */
    public TokenSequence slice(int from, int to) {
        return TokenSequence.of(tokens.subArray(from, to).toArray());
    }

    /** All tokens. */
    ImmutableIntArray tokens() {
        return tokens;
    }
}
