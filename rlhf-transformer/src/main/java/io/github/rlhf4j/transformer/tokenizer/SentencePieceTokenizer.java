package io.github.rlhf4j.transformer.tokenizer;

import io.github.rlhf4j.core.TokenSequence;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * SentencePiece's byte-pair encoding (LLaMA 2, Mistral, TinyLlama): characters merge, a space is the character {@code ▁},
 * and what the vocabulary cannot spell becomes tokens of single bytes, or the unknown token where there are none.
 *
 * <p>{@code decode(encode(text))} is {@code text}, unpaired surrogates included, with three exceptions that lie in the
 * format: {@code ▁} itself comes back as a space, {@link LeadingSpace#WHERE_MISSING} loses a space that the text begins
 * with, and the unknown token has no text. Immutable and safe for use from many threads.
 *
 * @see <a href="https://arxiv.org/abs/1808.06226">Kudo and Richardson 2018</a>
 */
public final class SentencePieceTokenizer implements FramedTokenizer {

    private static final String SPACE = String.valueOf(PieceVocabulary.SPACE);

    private final PieceVocabulary vocabulary;
    private final MergeTable merges;
    private final SentencePieceOptions options;
    private final AddedTokens rawTokens;
    private final AddedTokens normalizedTokens;
    private final boolean cutsWords;
    private final PieceCache cache = new PieceCache();

    SentencePieceTokenizer(PieceVocabulary vocabulary, MergeTable merges, SentencePieceOptions options) {
        options.frame().requireWithin(vocabulary.size());
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.options = options;
        this.rawTokens = AddedTokens.raw(options.addedTokens());
        this.normalizedTokens = AddedTokens.normalized(
                options.addedTokens(), content -> normalizesFirst() ? space(content, 0) : content);
        this.cutsWords = options.splitsWords() || vocabulary.spacesBeginTokens();
    }

    /**
     * A tokenizer of what a SentencePiece model or a GGUF file lists, by id.
     *
     * @param tokens each spelled with {@code ▁} for a space
     * @param scores the higher, the earlier a token is merged
     * @param types what each token is for
     * @param leadingSpace where encoding puts a space; unless never, decoding leaves out the first one
     * @param frame tokens at the ends of a text
     * @throws IllegalArgumentException when the lists differ in length, spellings repeat, a token has over 1,024
     *     characters, a score is NaN, some but not all bytes have tokens, or neither bytes nor the unknown have
     */
    public static SentencePieceTokenizer of(
            List<String> tokens, float[] scores, List<TokenType> types, LeadingSpace leadingSpace, TextFrame frame) {
        PieceVocabulary vocabulary = new PieceVocabulary(tokens, types);
        List<AddedToken> added = IntStream.range(0, tokens.size())
                .filter(id -> types.get(id).isSpecial() || types.get(id) == TokenType.USER_DEFINED)
                .mapToObj(id -> types.get(id).isSpecial()
                        ? AddedToken.special(tokens.get(id), id)
                        : AddedToken.ordinary(tokens.get(id), id))
                .toList();
        boolean drops = leadingSpace != LeadingSpace.NEVER;
        return new SentencePieceTokenizer(
                vocabulary,
                ScoredMerges.table(vocabulary, scores),
                new SentencePieceOptions(leadingSpace, drops, false, true, added, frame));
    }

    /**
     * Loads a {@code tokenizer.bin} of llama2.c: token 0 is unknown, 1 begins a text, 2 ends it, 3 to 258 are the bytes.
     *
     * @throws IOException when the file is missing or malformed, naming file, token and remedy
     */
    public static SentencePieceTokenizer loadLlama2c(Path file) throws IOException {
        return Llama2cFile.load(file);
    }

    /** Whether the space is put in front before added tokens are looked for a second time, as a normaliser does. */
    private boolean normalizesFirst() {
        return options.leadingSpace() == LeadingSpace.ALWAYS || options.leadingSpace() == LeadingSpace.NEVER;
    }

    /** A section of a text, which begins at {@code index} there, with its spaces as SentencePiece spells them. */
    private String space(String section, int index) {
        String spaced = section.replace(' ', PieceVocabulary.SPACE);
        boolean prepends =
                switch (options.leadingSpace()) {
                    case NEVER -> false;
                    case ALWAYS -> true;
                    case WHERE_MISSING -> !spaced.startsWith(SPACE);
                    case FIRST_WHERE_MISSING -> index == 0 && !spaced.startsWith(SPACE);
                };
        return prepends ? SPACE + spaced : spaced;
    }

    @Override
    public TokenSequence encode(String text) {
        IntBuffer ids = new IntBuffer(text.length() / 3 + 8);
        rawTokens.forEachSection(text, 0, text.length(), ids, (from, to) -> encodeSection(text, from, to, ids));
        return TokenSequence.of(ids.toArray());
    }

    private void encodeSection(String text, int from, int to, IntBuffer ids) {
        if (normalizesFirst()) {
            String section = space(text.substring(from, to), from);
            normalizedTokens.forEachSection(
                    section, 0, section.length(), ids, (start, end) -> encodeSpaced(section, start, end, ids));
        } else {
            normalizedTokens.forEachSection(text, from, to, ids, (start, end) -> {
                String section = space(text.substring(start, end), start);
                encodeSpaced(section, 0, section.length(), ids);
            });
        }
    }

    /** Cut before each run of spaces where nothing can merge across: the ids are the same, and words can be remembered. */
    private void encodeSpaced(String text, int from, int to, IntBuffer ids) {
        int start = from;
        for (int i = from + 1; cutsWords && i < to; i++) {
            if (text.charAt(i) == PieceVocabulary.SPACE && beginsWord(text, i)) {
                add(encodePiece(text, start, i), ids);
                start = i;
            }
        }
        add(encodePiece(text, start, to), ids);
    }

    private boolean beginsWord(String text, int at) {
        return options.splitsWords() || text.charAt(at - 1) != PieceVocabulary.SPACE;
    }

    private void add(int[] piece, IntBuffer ids) {
        boolean continuesUnknown = options.fusesUnknown()
                && piece.length > 0
                && piece[0] == vocabulary.unknown()
                && ids.last() == vocabulary.unknown()
                && !vocabulary.hasBytes();
        ids.addAll(continuesUnknown ? Arrays.copyOfRange(piece, 1, piece.length) : piece);
    }

    private int[] encodePiece(String text, int start, int end) {
        int[] ids = cache.get(text, start, end);
        if (ids == null) {
            IntBuffer characters = new IntBuffer(end - start);
            for (int i = start; i < end; ) {
                int character = text.codePointAt(i);
                addCharacter(character, characters);
                i += Character.charCount(character);
            }
            ids = merges.apply(characters.toArray());
            cache.put(text, start, end, ids);
        }
        return ids;
    }

    private void addCharacter(int character, IntBuffer ids) {
        IntBuffer one = new IntBuffer(4);
        vocabulary.addCharacter(character, one);
        add(one.toArray(), ids);
    }

    @Override
    public String decode(TokenSequence tokens) {
        return decoder().decode(tokens);
    }

    /** {@inheritDoc} The first space of the stream is left out, as by {@link #decode}. */
    @Override
    public StreamingDecoder streamingDecoder() {
        return decoder();
    }

    private ByteDecoder decoder() {
        return new ByteDecoder(vocabulary::bytesOf, options.dropsLeadingSpace());
    }

    @Override
    public int vocabularySize() {
        return vocabulary.size();
    }

    @Override
    public Map<String, Integer> specialTokens() {
        return vocabulary.special();
    }

    @Override
    public TextFrame frame() {
        return options.frame();
    }

    /** The same tokenizer with these tokens at the ends of a text. */
    public SentencePieceTokenizer withFrame(TextFrame frame) {
        return new SentencePieceTokenizer(vocabulary, merges, options.withFrame(frame));
    }

    /** Every token by id, spelled with {@code ▁} for a space. */
    public List<String> tokens() {
        return vocabulary.tokens();
    }

    /** What each token is for, by id. */
    public List<TokenType> types() {
        return vocabulary.types();
    }

    /** By id: the higher, the earlier a token is merged; 0 is the highest. Characters and special tokens have the lowest. */
    public float[] scores() {
        float[] scores = new float[vocabulary.size()];
        Arrays.fill(scores, Float.NEGATIVE_INFINITY);
        float lowest = 0;
        for (int rank = 0; rank < merges.size(); rank++) {
            float score = -merges.priority(rank);
            scores[merges.merged(rank)] = Math.max(scores[merges.merged(rank)], score);
            lowest = Math.min(lowest, score);
        }
        for (int id = 0; id < scores.length; id++) {
            scores[id] = scores[id] == Float.NEGATIVE_INFINITY ? lowest - 1 : scores[id];
        }
        return scores;
    }

    /** Where encoding puts a space. */
    public LeadingSpace leadingSpace() {
        return options.leadingSpace();
    }

    /** The merges, the first one first. Where two make the same token, text may decide which comes first. */
    public List<Merge> merges() {
        return IntStream.range(0, merges.size())
                .mapToObj(rank -> new Merge(tokens().get(merges.left(rank)), tokens().get(merges.right(rank))))
                .toList();
    }

    PieceVocabulary vocabulary() {
        return vocabulary;
    }

    SentencePieceOptions options() {
        return options;
    }

    /** Equal when every text encodes to the same ids for the same reason. */
    @Override
    public boolean equals(Object o) {
        return o instanceof SentencePieceTokenizer other
                && vocabulary.equals(other.vocabulary)
                && merges.equals(other.merges)
                && options.equals(other.options);
    }

    @Override
    public int hashCode() {
        return 31 * vocabulary.hashCode() + options.hashCode();
    }

    @Override
    public String toString() {
        return "SentencePieceTokenizer[vocabularySize=" + vocabularySize() + ", merges=" + merges.size()
                + ", specialTokens=" + specialTokens() + "]";
    }
}
