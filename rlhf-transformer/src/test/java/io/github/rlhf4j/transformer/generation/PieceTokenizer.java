package io.github.rlhf4j.transformer.generation;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Tokens 0–255 are bytes, then come pieces of text, then one special token, {@code <|end|>}. */
final class PieceTokenizer implements Tokenizer {

    private final List<String> pieces;

    PieceTokenizer(String... pieces) {
        this.pieces = List.of(pieces);
    }

    /** The id of a piece. */
    int piece(String text) {
        return 256 + pieces.indexOf(text);
    }

    int end() {
        return 256 + pieces.size();
    }

    @Override
    public TokenSequence encode(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int[] ids = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            ids[i] = bytes[i] & 0xff;
        }
        return TokenSequence.of(ids);
    }

    @Override
    public String decode(TokenSequence tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        tokens.stream().forEach(token -> bytes.writeBytes(bytes(token)));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private byte[] bytes(int token) {
        if (token == end()) {
            return new byte[0];
        }
        return token < 256 ? new byte[] {(byte) token} : pieces.get(token - 256).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public int vocabularySize() {
        return end() + 1;
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return Map.of("<|end|>", end());
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        return new StreamingDecoder() {
            private final ByteArrayOutputStream pending = new ByteArrayOutputStream();

            @Override
            public String accept(int token) {
                pending.writeBytes(bytes(token));
                byte[] all = pending.toByteArray();
                int whole = wholeCharacters(all);
                pending.reset();
                pending.write(all, whole, all.length - whole);
                return new String(all, 0, whole, StandardCharsets.UTF_8);
            }

            @Override
            public String finish() {
                return pending.toString(StandardCharsets.UTF_8);
            }
        };
    }

    /** Length without a well-formed but unfinished character at the end. */
    private static int wholeCharacters(byte[] bytes) {
        for (int back = 1; back <= Math.min(3, bytes.length); back++) {
            int b = bytes[bytes.length - back] & 0xff;
            if (b >= 0xc0) {
                int needed = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
                return needed > back ? bytes.length - back : bytes.length;
            }
            if (b < 0x80) {
                break;
            }
        }
        return bytes.length;
    }
}
