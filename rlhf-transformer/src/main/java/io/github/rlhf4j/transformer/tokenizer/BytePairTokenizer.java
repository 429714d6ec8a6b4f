package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * GPT-2's byte-level byte-pair encoding: text is cut into pieces, each piece becomes its bytes, and bytes merge by rank.
 *
 * <p>{@code decode(encode(text))} is {@code text} for every string, unpaired surrogates included (they travel as three
 * bytes each). Immutable and safe for use from many threads; encoding remembers recent pieces in bounded memory.
 *
 * @see <a href="https://arxiv.org/abs/1508.07909">Sennrich et al. 2016, §3.2</a>
 */
public final class BytePairTokenizer implements Tokenizer {

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final Pretokenizer pretokenizer;
    private final byte @Nullable [][] bytesOfId; // null for special tokens, which are left out of decoded text
    private final int[] idOfByte = new int[256];
    private final PieceCache cache = new PieceCache();

    private BytePairTokenizer(Vocabulary vocabulary, List<Merge> merges, Pretokenizer pretokenizer) {
        this.vocabulary = vocabulary;
        this.pretokenizer = pretokenizer;
        this.bytesOfId = new byte[vocabulary.size()][];
        for (int id = 0; id < bytesOfId.length; id++) {
            bytesOfId[id] = vocabulary.isSpecial(id) ? null : ByteAlphabet.bytes(vocabulary.spelling(id));
        }
        for (int b = 0; b < 256; b++) {
            idOfByte[b] = idOfByte((byte) b);
        }
        this.merges = table(merges);
    }

    /**
     * A tokenizer of these parts.
     *
     * @param vocabulary id of each token, spelled in GPT-2's byte alphabet; the ids, with those of the special tokens, are
     *     {@code 0..V-1} in any order. Special tokens may be listed as well, with the same id.
     * @param merges what merges, the first one first
     * @param specialTokens id of each special token by name
     * @param pretokenizer how text is cut into pieces
     * @throws IllegalArgumentException when a byte has no token, ids repeat or have gaps, or a merge names or makes a token
     *     that is not in the vocabulary
     */
    public static BytePairTokenizer of(
            Map<String, Integer> vocabulary,
            List<Merge> merges,
            Map<String, Integer> specialTokens,
            Pretokenizer pretokenizer) {
        return new BytePairTokenizer(new Vocabulary(vocabulary, specialTokens), merges, pretokenizer);
    }

    /**
     * Loads the pair of files GPT-2 came with: {@code encoder.json} and {@code vocab.bpe}, elsewhere called
     * {@code vocab.json} and {@code merges.txt}; GPT-2's split.
     *
     * @param specialTokens names of the entries of the vocabulary that are special, for example {@code <|endoftext|>}
     * @throws IOException when a file is missing or malformed, naming file, place and remedy
     */
    public static BytePairTokenizer load(Path vocabulary, Path merges, String... specialTokens) throws IOException {
        return Gpt2Files.load(vocabulary, merges, List.of(specialTokens));
    }

    private int idOfByte(byte b) {
        String spelling = ByteAlphabet.spell(new byte[] {b});
        Integer id = vocabulary.ordinary(spelling);
        if (id == null) {
            throw new IllegalArgumentException(String.format("the vocabulary has no token for byte 0x%02X", b & 0xFF)
                    + " (spelled \"" + spelling + "\"), so some texts could not be encoded."
                    + " A byte-level vocabulary must hold all 256 bytes; add the missing ones.");
        }
        return id;
    }

    private MergeTable table(List<Merge> list) {
        int[] left = new int[list.size()];
        int[] right = new int[list.size()];
        int[] merged = new int[list.size()];
        for (int rank = 0; rank < list.size(); rank++) {
            Merge merge = list.get(rank);
            left[rank] = idOf(merge.left(), merge, rank);
            right[rank] = idOf(merge.right(), merge, rank);
            merged[rank] = idOf(merge.merged(), merge, rank);
        }
        return new MergeTable(left, right, merged);
    }

    private int idOf(String spelling, Merge merge, int rank) {
        Integer id = vocabulary.ordinary(spelling);
        if (id == null) {
            throw new IllegalArgumentException("merge " + rank + " (\"" + merge + "\") needs token \"" + spelling
                    + "\", which is not in the vocabulary. Vocabulary and merges must come from the same training.");
        }
        return id;
    }

    @Override
    public TokenSequence encode(String text) {
        IntBuffer ids = new IntBuffer(text.length() / 3 + 8);
        pretokenizer.forEachPiece(text, piece -> ids.addAll(encodePiece(piece)));
        return TokenSequence.of(ids.toArray());
    }

    private int[] encodePiece(String piece) {
        int[] ids = cache.get(piece);
        if (ids == null) {
            byte[] bytes = Wtf8.encode(piece);
            ids = new int[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                ids[i] = idOfByte[bytes[i] & 0xFF];
            }
            ids = merges.apply(ids);
            cache.put(piece, ids);
        }
        return ids;
    }

    @Override
    public String decode(TokenSequence tokens) {
        StringBuilder text = new StringBuilder(4 * tokens.length());
        Wtf8.Decoder decoder = new Wtf8.Decoder();
        for (int i = 0; i < tokens.length(); i++) {
            decodeTo(text, decoder, tokens.get(i));
        }
        decoder.finish(text);
        return text.toString();
    }

    private void decodeTo(StringBuilder text, Wtf8.Decoder decoder, int token) {
        byte[] bytes = bytesOfId[vocabulary.checkId(token)];
        if (bytes != null) {
            decoder.accept(bytes, text);
        }
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        Wtf8.Decoder decoder = new Wtf8.Decoder();
        return new StreamingDecoder() {
            @Override
            public String accept(int token) {
                StringBuilder text = new StringBuilder();
                decodeTo(text, decoder, token);
                return text.toString();
            }

            @Override
            public String finish() {
                StringBuilder text = new StringBuilder();
                decoder.finish(text);
                return text.toString();
            }
        };
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return vocabulary.special();
    }

    /** Every token by its spelling in GPT-2's byte alphabet (special ones by name), in the order of the ids. */
    public Map<String, Integer> vocabulary() {
        return vocabulary.inOrder();
    }

    /** The merges, the first one first. */
    public List<Merge> merges() {
        return IntStream.range(0, merges.size())
                .mapToObj(rank ->
                        new Merge(vocabulary.spelling(merges.left(rank)), vocabulary.spelling(merges.right(rank))))
                .toList();
    }

    /** How text is cut into pieces. */
    public Pretokenizer pretokenizer() {
        return pretokenizer;
    }

    /**
     * The bytes that an ordinary token stands for; empty for a special one.
     *
     * @throws IllegalArgumentException when the id lies outside the vocabulary
     */
    public byte[] bytesOf(int token) {
        byte[] bytes = bytesOfId[vocabulary.checkId(token)];
        return bytes == null ? new byte[0] : bytes.clone();
    }

    /** Equal when every text encodes to the same ids for the same reason: equal vocabulary, merges, specials and split. */
    @Override
    public boolean equals(Object o) {
        return o instanceof BytePairTokenizer other
                && vocabulary.equals(other.vocabulary)
                && merges.equals(other.merges)
                && pretokenizer.equals(other.pretokenizer);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(new int[] {vocabulary.hashCode(), merges.hashCode(), pretokenizer.hashCode()});
    }

    @Override
    public String toString() {
        return "BytePairTokenizer[vocabularySize=" + vocabularySize() + ", merges=" + merges.size() + ", specialTokens="
                + specialTokens() + "]";
    }
}
