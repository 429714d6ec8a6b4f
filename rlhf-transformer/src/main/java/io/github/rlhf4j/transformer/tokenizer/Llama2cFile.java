package io.github.rlhf4j.transformer.tokenizer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Reads {@code tokenizer.bin} of llama2.c, little-endian: the length of the longest token, then for each token, until the
 * file ends, its score (float), its length in bytes and its bytes, with plain spaces.
 *
 * @see <a href="https://github.com/karpathy/llama2.c/blob/master/run.c">llama2.c, build_tokenizer</a>
 */
final class Llama2cFile {

    private static final int FIRST_BYTE = 3;
    private static final int AFTER_BYTES = FIRST_BYTE + 256;
    private static final long LARGEST_FILE = 1 << 28;

    private final Path file;
    private final ByteBuffer in;
    private final List<String> tokens = new ArrayList<>();
    private final List<TokenType> types = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();

    private Llama2cFile(Path file, ByteBuffer in) {
        this.file = file;
        this.in = in;
    }

    static SentencePieceTokenizer load(Path file) throws IOException {
        byte[] bytes;
        try {
            if (Files.size(file) > LARGEST_FILE) {
                throw new IOException(file + ": has " + Files.size(file)
                        + " bytes, too many for a tokenizer.bin of llama2.c. Is it the model?");
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw TokenizerJson.missing(file);
        }
        return new Llama2cFile(file, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)).read();
    }

    private SentencePieceTokenizer read() throws IOException {
        require(in.remaining() >= 4, "max_token_length", "is missing");
        int longest = in.getInt();
        require(longest > 0 && longest <= in.remaining(), "max_token_length", "is " + longest);
        while (in.hasRemaining()) {
            readToken(longest);
        }
        require(
                tokens.size() >= AFTER_BYTES,
                "the vocabulary",
                "has " + tokens.size() + " tokens; unknown, beginning, end and the bytes alone are " + AFTER_BYTES);
        float[] scoreOfId = new float[scores.size()];
        for (int id = 0; id < scoreOfId.length; id++) {
            scoreOfId[id] = scores.get(id);
        }
        try {
            return SentencePieceTokenizer.of(
                    tokens,
                    scoreOfId,
                    types,
                    LeadingSpace.ALWAYS,
                    new TextFrame(OptionalInt.of(1), OptionalInt.of(2), true, false));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + ": " + e.getMessage(), e);
        }
    }

    private void readToken(int longest) throws IOException {
        int id = tokens.size();
        String field = "token " + id;
        require(in.remaining() >= 8, field, "is cut off");
        float score = in.getFloat();
        int length = in.getInt();
        require(!Float.isNaN(score), field + ".score", "is no number");
        require(
                length > 0 && length <= longest && length <= in.remaining(),
                field + ".length",
                "is " + length + ", but must lie in 1.." + Math.min(longest, in.remaining()));
        byte[] bytes = new byte[length];
        in.get(bytes);
        scores.add(score);
        types.add(typeOf(id));
        tokens.add(
                typeOf(id) == TokenType.NORMAL
                        ? text(bytes, field).replace(' ', PieceVocabulary.SPACE)
                        : text(bytes, field).strip());
    }

    private String text(byte[] bytes, String field) throws IOException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new IOException(file + ": " + field + " is no UTF-8 text. Export the tokenizer again.", e);
        }
    }

    private static TokenType typeOf(int id) {
        if (id >= AFTER_BYTES) {
            return TokenType.NORMAL;
        }
        return id == 0 ? TokenType.UNKNOWN : id < FIRST_BYTE ? TokenType.CONTROL : TokenType.BYTE;
    }

    private void require(boolean holds, String field, String problem) throws IOException {
        if (!holds) {
            throw new IOException(file + ": " + field + " " + problem
                    + ". Is it a tokenizer.bin of llama2.c? Export the tokenizer again.");
        }
    }
}
