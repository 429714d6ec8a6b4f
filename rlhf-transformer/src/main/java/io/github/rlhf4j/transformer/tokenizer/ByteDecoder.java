package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;

/** Decodes tokens by the bytes they stand for, as they arrive; one per stream. */
final class ByteDecoder implements Tokenizer.StreamingDecoder {

    private final TokenBytes bytesOfTokens;
    private final Wtf8.Decoder decoder = new Wtf8.Decoder();
    private boolean dropsSpace;

    /** The bytes of a token: none for a special one, an error for an id outside the vocabulary. */
    @FunctionalInterface
    interface TokenBytes {
        byte[] of(int token);
    }

    /**
     * @param dropsSpace whether a space at the very beginning is left out, which encoding had put there
     */
    ByteDecoder(TokenBytes bytesOfTokens, boolean dropsSpace) {
        this.bytesOfTokens = bytesOfTokens;
        this.dropsSpace = dropsSpace;
    }

    /** Decodes a whole sequence; for a decoder that has met no token yet. */
    String decode(TokenSequence tokens) {
        StringBuilder text = new StringBuilder(4 * tokens.length());
        for (int i = 0; i < tokens.length(); i++) {
            accept(tokens.get(i), text);
        }
        decoder.finish(text);
        return text.toString();
    }

    private void accept(int token, StringBuilder text) {
        byte[] bytes = bytesOfTokens.of(token);
        int start = dropsSpace && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
        dropsSpace &= bytes.length == 0;
        decoder.accept(bytes, start, text);
    }

    @Override
    public String accept(int token) {
        StringBuilder text = new StringBuilder();
        accept(token, text);
        return text.toString();
    }

    @Override
    public String finish() {
        StringBuilder text = new StringBuilder();
        decoder.finish(text);
        return text.toString();
    }
}
