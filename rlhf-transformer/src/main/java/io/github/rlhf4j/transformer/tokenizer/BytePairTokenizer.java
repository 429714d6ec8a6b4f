package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Byte-level byte-pair encoding (GPT-2, LLaMA 3, Qwen2, SmolLM2): text is cut into pieces, each piece becomes its bytes, and
 * bytes merge by rank.
 *
 * <p>{@code decode(encode(text))} is {@code text} for every string, unpaired surrogates included (they travel as three
 * bytes each); where a tokenizer composes characters (Qwen2), it is the composed text. Immutable and safe for use from many threads; encoding remembers recent pieces in bounded memory.
 *
 * @see <a href="https://arxiv.org/abs/1508.07909">Sennrich et al. 2016, §3.2</a>
 */
public final class BytePairTokenizer implements FramedTokenizer {

    private static final byte[] NO_BYTES = {};
    private static final int NO_TOKEN = -1;

    private final Vocabulary vocabulary;
    private final MergeTable merges;
    private final BytePairOptions options;
    private final AddedTokens rawTokens;
    private final AddedTokens normalizedTokens;
    private final byte[][] bytesOfId; // none for special tokens, which are left out of decoded text
    private final int[] idOfByte;
    private final PieceCache cache = new PieceCache();

    private BytePairTokenizer(
            Vocabulary vocabulary, List<Merge> merges, BytePairOptions options, boolean needsAllBytes) {
        options.frame().requireWithin(vocabulary.size());
        this.vocabulary = vocabulary;
        this.options = options;
        this.rawTokens = AddedTokens.raw(options.addedTokens());
        this.normalizedTokens = AddedTokens.normalized(options.addedTokens(), this::normalize);
        this.bytesOfId = new byte[vocabulary.size()][];
        for (int id = 0; id < bytesOfId.length; id++) {
            bytesOfId[id] = bytes(id);
        }
        this.idOfByte = IntStream.range(0, 256)
                .map(b -> Objects.requireNonNullElse(vocabulary.ordinary(spellByte(b)), NO_TOKEN))
                .toArray();
        if (needsAllBytes) {
            requireAllBytes();
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
        return of(vocabulary, merges, BytePairOptions.of(pretokenizer).withSpecialTokens(specialTokens));
    }

    /**
     * A tokenizer of these parts; otherwise as {@link #of(Map, List, Map, Pretokenizer)}.
     *
     * @param vocabulary id of each token, spelled in GPT-2's byte alphabet; added tokens may be listed with the same id
     */
    public static BytePairTokenizer of(Map<String, Integer> vocabulary, List<Merge> merges, BytePairOptions options) {
        return new BytePairTokenizer(new Vocabulary(vocabulary, options.addedTokens()), merges, options, true);
    }

    /** The same, but bytes may have no token, as in SmolLM2: they are left out of what is encoded, as others do. */
    static BytePairTokenizer ofFile(Map<String, Integer> vocabulary, List<Merge> merges, BytePairOptions options) {
        return new BytePairTokenizer(new Vocabulary(vocabulary, options.addedTokens()), merges, options, false);
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

    /**
     * Loads ranks as tiktoken writes them: {@code tokenizer.model} of LLaMA 3, {@code cl100k_base.tiktoken} of GPT-4. The file
     * names neither split nor special tokens.
     *
     * @param ranks a line for each token: its bytes in Base64, a space, its id
     * @param pretokenizer how the model cuts text, for example {@link Pretokenizer#llama3()}
     * @param specialTokens id of each special token; with those of the file, the ids are {@code 0..V-1}
     * @throws IOException when the file is missing or malformed, naming file, place and remedy
     */
    public static BytePairTokenizer loadTiktoken(
            Path ranks, Pretokenizer pretokenizer, Map<String, Integer> specialTokens) throws IOException {
        return TiktokenFile.load(ranks, pretokenizer, specialTokens);
    }

    private void requireAllBytes() {
        for (int b = 0; b < 256; b++) {
            if (idOfByte[b] == NO_TOKEN) {
                throw new IllegalArgumentException(String.format("the vocabulary has no token for byte 0x%02X", b)
                        + " (spelled \"" + spellByte(b) + "\"), so some texts could not be encoded."
                        + " A byte-level vocabulary must hold all 256 bytes; add the missing ones.");
            }
        }
    }

    /** Bytes that have no token, in hexadecimal. */
    List<String> bytesWithoutToken() {
        return IntStream.range(0, 256)
                .filter(b -> idOfByte[b] == NO_TOKEN)
                .mapToObj(b -> String.format("%02X", b))
                .toList();
    }

    private static String spellByte(int b) {
        return ByteAlphabet.spell(new byte[] {(byte) b});
    }

    /** Whether a token stands beside the learned vocabulary without being special. */
    boolean isAdded(int token) {
        return vocabulary.isAdded(token);
    }

    private byte[] bytes(int id) {
        if (vocabulary.isSpecial(id)) {
            return NO_BYTES;
        }
        String spelling = vocabulary.spelling(id);
        return vocabulary.isAdded(id) ? Wtf8.encode(spelling) : ByteAlphabet.bytes(spelling);
    }

    private MergeTable table(List<Merge> all) {
        // What would spell a special token is no merge: text never becomes one.
        List<Merge> list =
                all.stream().filter(merge -> !concernsSpecialToken(merge)).toList();
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

    private boolean concernsSpecialToken(Merge merge) {
        Map<String, Integer> special = vocabulary.special();
        return special.containsKey(merge.merged())
                || special.containsKey(merge.left())
                || special.containsKey(merge.right());
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
        rawTokens.forEachSection(text, 0, text.length(), ids, (from, to) -> encodeSection(text, from, to, ids));
        return TokenSequence.of(ids.toArray());
    }

    private void encodeSection(String text, int from, int to, IntBuffer ids) {
        if (!options.composes()) {
            encodeNormalized(text, from, to, ids);
        } else {
            String section = normalize(text.substring(from, to));
            encodeNormalized(section, 0, section.length(), ids);
        }
    }

    private String normalize(String text) {
        return options.composes() ? Composer.compose(text) : text;
    }

    private void encodeNormalized(String text, int from, int to, IntBuffer ids) {
        normalizedTokens.forEachSection(text, from, to, ids, (start, end) -> pretokenizer()
                .forEachPiece(text, start, end, (first, last) -> ids.addAll(encodePiece(text, first, last))));
    }

    private int[] encodePiece(String text, int start, int end) {
        int[] ids = cache.get(text, start, end);
        if (ids == null) {
            ids = encodePiece(text.substring(start, end));
            cache.put(text, start, end, ids);
        }
        return ids;
    }

    private int[] encodePiece(String piece) {
        byte[] bytes = Wtf8.encode(piece);
        if (options.wholePiecesFirst()) {
            Integer whole = vocabulary.ordinary(ByteAlphabet.spell(bytes));
            if (whole != null) {
                return new int[] {whole};
            }
        }
        IntBuffer ids = new IntBuffer(bytes.length);
        for (byte b : bytes) {
            int id = idOfByte[b & 0xFF];
            if (id != NO_TOKEN) {
                ids.add(id);
            }
        }
        return merges.apply(ids.toArray());
    }

    @Override
    public String decode(TokenSequence tokens) {
        return new ByteDecoder(this::bytesOfToken, false).decode(tokens);
    }

    @Override
    public StreamingDecoder streamingDecoder() {
        return new ByteDecoder(this::bytesOfToken, false);
    }

    private byte[] bytesOfToken(int token) {
        return bytesOfId[vocabulary.checkId(token)];
    }

    @Override
    public TextFrame frame() {
        return options.frame();
    }

    /** What the tokenizer does besides merging. */
    public BytePairOptions options() {
        return options;
    }

    /** The same tokenizer with these tokens at the ends of a text. */
    public BytePairTokenizer withFrame(TextFrame frame) {
        return new BytePairTokenizer(vocabulary, merges(), options.withFrame(frame), false);
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
        return options.pretokenizer();
    }

    /**
     * The bytes that an ordinary token stands for; empty for a special one.
     *
     * @throws IllegalArgumentException when the id lies outside the vocabulary
     */
    public byte[] bytesOf(int token) {
        return bytesOfToken(token).clone();
    }

    /** Equal when every text encodes to the same ids for the same reason: equal vocabulary, merges and options. */
    @Override
    public boolean equals(Object o) {
        return o instanceof BytePairTokenizer other
                && vocabulary.equals(other.vocabulary)
                && merges.equals(other.merges)
                && options.equals(other.options);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(new int[] {vocabulary.hashCode(), merges.hashCode(), options.hashCode()});
    }

    @Override
    public String toString() {
        return "BytePairTokenizer[vocabularySize=" + vocabularySize() + ", merges=" + merges.size() + ", specialTokens="
                + specialTokens() + "]";
    }
}
