package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class BytePairTokenizerTest {

    private static final BytePairTokenizer TOKENIZER = Texts.TOKENIZER;

    @Property(tries = 1000)
    void decodingUndoesEncodingOnEveryString(@ForAll("anyString") String text) {
        assertThat(TOKENIZER.decode(TOKENIZER.encode(text))).isEqualTo(text);
    }

    @Example
    void decodingUndoesEncodingOnEveryScriptAndOddity() {
        Texts.all().forEach(text -> assertThat(TOKENIZER.decode(TOKENIZER.encode(text)))
                .isEqualTo(text));
    }

    /** The ids that Hugging Face's tokenizers 0.23.3 (Python) gives with the tokenizer.json saved from this tokenizer. */
    @Example
    void idsAreThoseOfHuggingFace() {
        assertThat(TOKENIZER.encode("the cat sat on that other mat, didn't it?"))
                .isEqualTo(TokenSequence.of(
                        258, 278, 280, 281, 220, 293, 220, 295, 220, 76, 257, 11, 220, 67, 72, 67, 77, 266, 220, 72, 83,
                        30));
        assertThat(TOKENIZER.encode("Größe 123  \n\n 1234"))
                .isEqualTo(TokenSequence.of(38, 294, 268, 220, 220, 198, 198, 268, 19));
        assertThat(TOKENIZER.encode("你好 😀\u00a0 '!'s "))
                .isEqualTo(TokenSequence.of(274, 220, 263, 126, 254, 220, 6, 0, 6, 82, 220));
        assertThat(TOKENIZER.encode("١٢٣ можно"))
                .isEqualTo(TokenSequence.of(
                        149, 94, 149, 95, 149, 96, 220, 140, 120, 140, 122, 140, 114, 140, 121, 140, 122));
    }

    @Property(tries = 300)
    void decodingUndoesEncodingWhateverTheSplit(
            @ForAll("anyString") String text, @ForAll("splits") List<String> splits) {
        BytePairTokenizer other = withSplits(splits);

        assertThat(String.join("", other.pretokenizer().pieces(text))).isEqualTo(text);
        assertThat(other.decode(other.encode(text))).isEqualTo(text);
    }

    @Property(tries = 1000)
    void streamingIsDecodingTokenByToken(@ForAll("anyTokens") List<Integer> ids) {
        TokenSequence tokens = sequence(ids);
        Tokenizer.StreamingDecoder decoder = TOKENIZER.streamingDecoder();
        StringBuilder streamed = new StringBuilder();
        ids.forEach(id -> streamed.append(decoder.accept(id)));

        assertThat(streamed.append(decoder.finish()).toString()).isEqualTo(TOKENIZER.decode(tokens));
    }

    /** Of a well-formed text, each thing emitted is well-formed, and nothing is a replacement for a character to come. */
    @Property(tries = 500)
    void streamingNeverEmitsHalfACharacter(@ForAll("wellFormed") String text) {
        Tokenizer.StreamingDecoder decoder = TOKENIZER.streamingDecoder();
        StringBuilder streamed = new StringBuilder();
        TOKENIZER.encode(text).stream().forEach(token -> {
            String emitted = decoder.accept(token);
            assertThat(emitted.codePoints()).noneMatch(c -> Character.getType(c) == Character.SURROGATE);
            streamed.append(emitted);
            assertThat(text).startsWith(streamed.toString());
        });

        assertThat(decoder.finish()).isEmpty();
        assertThat(streamed.toString()).isEqualTo(text);
    }

    @Example
    void anIncompleteCharacterIsHeldBackAndEndsAsReplacement() {
        TokenSequence bytes = withoutMerges().encode("€");
        assertThat(bytes.length()).isEqualTo(3);
        Tokenizer.StreamingDecoder decoder = withoutMerges().streamingDecoder();

        assertThat(decoder.accept(bytes.get(0))).isEmpty();
        assertThat(decoder.accept(bytes.get(1))).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\ufffd");
        assertThat(withoutMerges().decode(bytes.slice(0, 2))).isEqualTo("\ufffd");
        assertThat(withoutMerges().decode(bytes.slice(1, 3))).isEqualTo("\ufffd\ufffd");
    }

    @Property(tries = 200)
    void aSpecialTokenCannotBeInjectedByText(@ForAll("anyString") String before, @ForAll("anyString") String after) {
        String text = before + "<|end|>" + after + "<|endoftext|>";
        TokenSequence tokens = TOKENIZER.encode(text);

        assertThat(tokens.stream()).noneMatch(TOKENIZER.specialTokens()::containsValue);
        assertThat(TOKENIZER.decode(tokens)).isEqualTo(text);
    }

    @Example
    void specialTokensHaveIdsByNameAndNoText() {
        int end = TOKENIZER.specialToken("<|end|>");
        TokenSequence tokens =
                TOKENIZER.encode("the cat").concat(TokenSequence.of(end)).concat(TOKENIZER.encode(" sat"));

        assertThat(end).isEqualTo(TOKENIZER.vocabularySize() - 1);
        assertThat(TOKENIZER.bytesOf(end)).isEmpty();
        assertThat(TOKENIZER.decode(tokens)).isEqualTo("the cat sat");
        assertThatThrownBy(() -> TOKENIZER.specialToken("<|user|>"))
                .hasMessageContaining("<|user|>")
                .hasMessageContaining("[<|endoftext|>, <|end|>]");
    }

    @Example
    void anIdOutsideTheVocabularyIsRefusedByName() {
        int size = TOKENIZER.vocabularySize();

        assertThatThrownBy(() -> TOKENIZER.decode(TokenSequence.of(0, size)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token id " + size + " is outside the vocabulary of " + size)
                .hasMessageContaining("the tokenizer that the model was trained with");
        assertThatThrownBy(() -> TOKENIZER.streamingDecoder().accept(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token id -1 is outside the vocabulary");
    }

    /** Always the merge of lowest rank, leftmost first: the plain loop over the whole piece says the same. */
    @Property(tries = 500)
    void theHeapMergesAsThePlainLoopDoes(@ForAll("abWords") String piece, @ForAll("abWords") String corpus) {
        List<String> documents = List.of(corpus);
        long distinct = NaiveBytePairs.train(documents, 12).stream()
                .map(Merge::merged)
                .distinct()
                .count();
        BytePairTokenizer tokenizer =
                new BytePairTrainer(256 + (int) distinct).train(documents).tokenizer();
        List<String> expected = NaiveBytePairs.encode(piece, tokenizer.merges());
        List<String> actual = tokenizer.encode(piece).stream()
                .mapToObj(id -> ByteAlphabet.spell(tokenizer.bytesOf(id)))
                .toList();

        assertThat(actual).isEqualTo(expected);
    }

    @Example
    void aPieceOfAMillionLettersTakesNoQuadraticTime() {
        String page = "abcabcaab".repeat(120_000);

        assertThat(TOKENIZER.decode(TOKENIZER.encode(page))).isEqualTo(page);
    }

    @Example
    void idsMayBeAnyPermutation() {
        int size = TOKENIZER.vocabularySize();
        Map<String, Integer> reversed = new HashMap<>();
        TOKENIZER.vocabulary().forEach((token, id) -> reversed.put(token, size - 1 - id));
        Map<String, Integer> specials = Map.of("<|endoftext|>", 1, "<|end|>", 0);
        BytePairTokenizer permuted =
                BytePairTokenizer.of(reversed, TOKENIZER.merges(), specials, TOKENIZER.pretokenizer());

        Texts.all().forEach(text -> {
            int[] expected =
                    TOKENIZER.encode(text).stream().map(id -> size - 1 - id).toArray();
            assertThat(permuted.encode(text)).isEqualTo(TokenSequence.of(expected));
            assertThat(permuted.decode(permuted.encode(text))).isEqualTo(text);
        });
    }

    @Example
    void manyThreadsEncodeAsOneDoes() {
        List<String> texts = Texts.all().toList();
        List<TokenSequence> alone = texts.stream().map(TOKENIZER::encode).toList();
        BytePairTokenizer shared = withSplits(TOKENIZER.pretokenizer().splits());

        IntStream.range(0, 2000).parallel().forEach(i -> {
            int which = i % texts.size();
            assertThat(shared.encode(texts.get(which))).isEqualTo(alone.get(which));
        });
    }

    @Example
    void brokenVocabulariesAreRefusedWithTheRemedy() {
        Map<String, Integer> noLetterA = new LinkedHashMap<>(withoutMerges().vocabulary());
        noLetterA.put("aa", noLetterA.remove("a"));
        assertRefused(noLetterA, List.of(), "no token for byte 0x61", "must hold all 256 bytes");

        Map<String, Integer> gap = new LinkedHashMap<>(withoutMerges().vocabulary());
        gap.put("aa", 300);
        assertRefused(gap, List.of(), "token \"aa\" has id 300", "must be 0..256, each once");

        Map<String, Integer> twice = new LinkedHashMap<>(withoutMerges().vocabulary());
        twice.put("aa", 5);
        assertRefused(twice, List.of(), "have the same id 5", "Give each token its own id");

        Map<String, Integer> space = new LinkedHashMap<>(withoutMerges().vocabulary());
        space.put("a b", 256);
        assertRefused(space, List.of(), "U+0020", "list it among the special (added) tokens");

        Map<String, Integer> bytes = withoutMerges().vocabulary();
        assertRefused(bytes, List.of(new Merge("a", "b")), "merge 0 (\"a b\") needs token \"ab\"", "same training");

        Map<String, Integer> ab = new LinkedHashMap<>(bytes);
        ab.put("ab", 256);
        Merge merge = new Merge("a", "b");
        assertRefused(ab, List.of(merge, merge), "merge 1 is the same as merge 0", "Remove the second");

        assertThatThrownBy(() -> BytePairTokenizer.of(bytes, List.of(), Map.of("a", 256), Pretokenizer.gpt2()))
                .hasMessageContaining("special token a has id 256")
                .hasMessageContaining("such as <|a|>");
        assertThatThrownBy(() -> Pretokenizer.of(List.of("(")))
                .hasMessageContaining("\"(\" is no regular expression")
                .hasMessageContaining("java.util.regex");
    }

    private static void assertRefused(
            Map<String, Integer> vocabulary, List<Merge> merges, String problem, String remedy) {
        assertThatThrownBy(() -> BytePairTokenizer.of(vocabulary, merges, Map.of(), Pretokenizer.gpt2()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(problem)
                .hasMessageContaining(remedy);
    }

    private static BytePairTokenizer withoutMerges() {
        return new BytePairTrainer(256).train(List.of("x")).tokenizer();
    }

    private static BytePairTokenizer withSplits(List<String> splits) {
        return BytePairTokenizer.of(
                TOKENIZER.vocabulary(), TOKENIZER.merges(), TOKENIZER.specialTokens(), Pretokenizer.of(splits));
    }

    private static TokenSequence sequence(List<Integer> ids) {
        return TokenSequence.of(ids.stream().mapToInt(Integer::intValue).toArray());
    }

    @Provide
    Arbitrary<String> anyString() {
        return Texts.anyString();
    }

    @Provide
    Arbitrary<String> wellFormed() {
        return Arbitraries.of(Texts.WELL_FORMED).list().ofMaxSize(3).map(parts -> String.join("", parts));
    }

    @Provide
    Arbitrary<String> abWords() {
        return Arbitraries.strings().withChars("aab ").ofMinLength(1).ofMaxLength(40);
    }

    @Provide
    Arbitrary<List<String>> splits() {
        return Arbitraries.of(
                List.of(),
                List.of("\\p{N}", Split.GPT2),
                List.of("\\s+", "[a-z]"),
                List.of("(?=t)"),
                List.of(
                        "[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"));
    }

    /** Ids at random, bytes that begin, continue or break characters more often than others, and specials. */
    @Provide
    Arbitrary<List<Integer>> anyTokens() {
        List<Integer> interesting = new ArrayList<>(TOKENIZER.specialTokens().values());
        for (int b : new int[] {0xC3, 0xE4, 0xED, 0xA0, 0xBD, 0xB8, 0x80, 0xF0, 0x9F, 0x98, 0x41}) {
            for (int id = 0; id < 256; id++) {
                if ((TOKENIZER.bytesOf(id)[0] & 0xFF) == b) {
                    interesting.add(id);
                }
            }
        }
        return Arbitraries.oneOf(
                        Arbitraries.integers().between(0, TOKENIZER.vocabularySize() - 1), Arbitraries.of(interesting))
                .list()
                .ofMaxSize(30);
    }
}
