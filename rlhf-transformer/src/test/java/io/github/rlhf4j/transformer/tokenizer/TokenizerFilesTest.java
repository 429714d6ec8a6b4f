package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenizerFilesTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final CharacterTokenizer CHARACTERS =
            CharacterTokenizer.fromTexts(List.of("ab \n\t\"\\é你😀\u0000"), "<|end|>", "<|user|>");

    @TempDir
    private Path dir;

    @Test
    void whatIsSavedIsLoadedEqual() throws IOException {
        BytePairTokenizer digits = withSplits(List.of("\\p{N}", Split.GPT2));
        BytePairTokenizer whole = withSplits(List.of());
        for (Tokenizer tokenizer : List.of(Texts.TOKENIZER, digits, whole, CHARACTERS, CHARACTERS.withUnknown())) {
            Path file = dir.resolve("saved.json");
            TokenizerFiles.save(tokenizer, file);
            Tokenizer loaded = TokenizerFiles.load(file);

            assertThat(loaded).isEqualTo(tokenizer);
            assertThat(List.copyOf(loaded.specialTokens().keySet()))
                    .isEqualTo(List.copyOf(tokenizer.specialTokens().keySet()));
        }
        assertThat(Texts.TOKENIZER).isNotEqualTo(digits);
    }

    @Test
    void aLoadedTokenizerEncodesEveryTextAsTheSavedOne() throws IOException {
        TokenizerFiles.save(Texts.TOKENIZER, dir);
        Tokenizer loaded = TokenizerFiles.load(dir.resolve("tokenizer.json"));

        Texts.all().forEach(text -> {
            TokenSequence tokens = Texts.TOKENIZER.encode(text);
            assertThat(loaded.encode(text)).isEqualTo(tokens);
            assertThat(loaded.decode(tokens)).isEqualTo(text);
        });
    }

    @Test
    void savingReplacesTheOldFileAndLeavesNothingBeside() throws IOException {
        TokenizerFiles.save(CHARACTERS, dir);
        TokenizerFiles.save(Texts.TOKENIZER, dir);

        assertThat(TokenizerFiles.load(dir)).isEqualTo(Texts.TOKENIZER);
        try (var files = Files.list(dir)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactly("tokenizer.json");
        }
    }

    @Test
    void aFailedSaveLeavesTheOldFile() throws IOException {
        Path file = dir.resolve("new/model/tokenizer.json");
        TokenizerFiles.save(CHARACTERS, file);
        Files.createDirectories(dir.resolve("new/model/.tokenizer.json.new/in the way"));

        assertThatThrownBy(() -> TokenizerFiles.save(Texts.TOKENIZER, file)).isInstanceOf(IOException.class);
        assertThat(TokenizerFiles.load(file)).isEqualTo(CHARACTERS);
    }

    @Test
    void theFileHasTheFormOfHuggingFace() throws IOException {
        TokenizerFiles.save(Texts.TOKENIZER, dir);
        JsonNode root = MAPPER.readTree(dir.resolve("tokenizer.json").toFile());

        assertThat(root.at("/model/type").asText()).isEqualTo("BPE");
        assertThat(root.at("/model/merges/0").asText())
                .isEqualTo(Texts.TOKENIZER.merges().get(0).toString());
        assertThat(root.at("/model/vocab/<|end|>").asInt()).isEqualTo(Texts.TOKENIZER.specialToken("<|end|>"));
        assertThat(root.at("/pre_tokenizer/type").asText()).isEqualTo("ByteLevel");
        assertThat(root.at("/pre_tokenizer/use_regex").asBoolean()).isTrue();
        assertThat(root.at("/pre_tokenizer/add_prefix_space").asBoolean(true)).isFalse();
        assertThat(root.at("/decoder/type").asText()).isEqualTo("ByteLevel");
        assertThat(root.at("/added_tokens/0/special").asBoolean()).isTrue();
    }

    @Test
    void mergesMayBePairsAsNewerVersionsWriteThem() throws IOException {
        Path file = edited(root -> {
            ArrayNode pairs = MAPPER.createArrayNode();
            Texts.TOKENIZER
                    .merges()
                    .forEach(merge -> pairs.addArray().add(merge.left()).add(merge.right()));
            model(root).set("merges", pairs);
        });

        assertThat(TokenizerFiles.load(file)).isEqualTo(Texts.TOKENIZER);
    }

    @Test
    void stepsThatOtherModelsUseAreUnderstood() throws IOException {
        Path file = edited(root -> {
            ObjectNode sequence = root.putObject("pre_tokenizer").put("type", "Sequence");
            ArrayNode steps = sequence.putArray("pretokenizers");
            steps.addObject().put("type", "Digits").put("individual_digits", true);
            steps.addObject()
                    .put("type", "ByteLevel")
                    .put("add_prefix_space", false)
                    .put("use_regex", true);
            root.putObject("post_processor").put("type", "ByteLevel");
        });
        BytePairTokenizer loaded = (BytePairTokenizer) TokenizerFiles.load(file);

        assertThat(loaded.pretokenizer().pieces("in 1984, so"))
                .containsExactly("in", " ", "1", "9", "8", "4", ",", " so");
    }

    @Test
    void brokenFilesAreRefusedByFileFieldAndRemedy() throws IOException {
        Path file = dir.resolve("absent.json");
        assertThatThrownBy(() -> TokenizerFiles.load(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("absent.json: there is no such file")
                .hasMessageContaining("TokenizerFiles.save");
        Files.writeString(file, "{\"model\": {\n\"type\": }");
        assertLoadFails(file, "malformed JSON at line 2", "save it again");
        Files.writeString(file, "{\"model\": {}, \"model\": {}}");
        assertLoadFails(file, "malformed JSON", "Duplicate");
        Files.writeString(file, "[1]");
        assertLoadFails(file, "expected a JSON object, found [1]", "the file of a tokenizer");
        Files.writeString(file, "");
        assertLoadFails(file, "expected a JSON object", "the file of a tokenizer");
        Files.writeString(file, "{\"version\": \"1.0\"}");
        assertLoadFails(file, "model must be an object, found nothing", "save it again");
    }

    @Test
    void brokenVocabulariesAndMergesAreRefused() throws IOException {
        int size = Texts.TOKENIZER.vocabularySize();
        assertRefused(root -> vocabulary(root).put("!", -1), "model.vocab[\"!\"] must be an id", "found -1");
        assertRefused(root -> vocabulary(root).put("!", 1.5), "model.vocab[\"!\"] must be an id", "found 1.5");
        assertRefused(root -> vocabulary(root).put("!", 1L << 40), "must be an id", "Number the tokens");
        assertRefused(root -> vocabulary(root).put("!", 1), "have the same id 1", "Give each token its own id");
        assertRefused(root -> vocabulary(root).put("!", 2_000_000_000), "2000000000", "Renumber the vocabulary");
        assertRefused(root -> vocabulary(root).remove("!"), "must be 0.." + (size - 2), "without gaps");
        assertRefused(root -> model(root).remove("vocab"), "model.vocab must be an object", "found nothing");
        assertRefused(root -> model(root).remove("merges"), "model.merges must be a list", "found nothing");
        assertRefused(root -> merges(root).add("x"), "model.merges[40] is malformed: \"x\" is no merge", "one space");
        assertRefused(root -> merges(root).add("a b c"), "model.merges[40] is malformed", "without spaces");
        assertRefused(root -> merges(root).add(7), "model.merges[40] must be \"left right\"", "found 7");
        assertRefused(root -> merges(root).add("z q"), "merge 40 (\"z q\") needs token \"zq\"", "same training");
        assertRefused(root -> added(root).addObject().put("content", ""), "added_tokens[2].content", "Add it");
        assertRefused(root -> added(root).addObject().put("content", "<|x|>"), "added_tokens[2].id", "found nothing");
        assertRefused(
                root -> added(root).addObject().put("content", "<|end|>").put("id", 1),
                "added_tokens[2].content names <|end|> for the second time",
                "Remove one");
        assertRefused(root -> root.put("added_tokens", 3), "added_tokens must be a list", "found 3");
    }

    @Test
    void kindsThatWouldEncodeDifferentlyAreRefused() throws IOException {
        String remedy = "Only byte-level BPE tokenizers";
        assertRefused(root -> model(root).put("type", "Unigram"), "model.type is \"Unigram\"", remedy);
        assertRefused(
                root -> root.putObject("normalizer").put("type", "NFKC"), "normalizer must be null or NFC", remedy);
        assertRefused(root -> model(root).put("byte_fallback", true), "neither tokens for bytes", "Add either");
        assertRefused(root -> model(root).put("dropout", 0.1), "model.dropout must be null", remedy);
        assertRefused(root -> model(root).put("end_of_word_suffix", "</w>"), "model.end_of_word_suffix", remedy);
        assertRefused(root -> root.putNull("pre_tokenizer"), "pre_tokenizer must be made of", remedy);
        assertRefused(
                root -> ((ObjectNode) root.get("pre_tokenizer")).put("add_prefix_space", true),
                "pre_tokenizer.add_prefix_space must be false",
                remedy);
        assertRefused(
                root -> root.putObject("pre_tokenizer").put("type", "Whitespace"), "{\"type\":\"Whitespace\"}", remedy);
    }

    @Test
    void aTokenizerOfOnesOwnHasNoForm() {
        Tokenizer own = new Tokenizer() {
            @Override
            public TokenSequence encode(String text) {
                return TokenSequence.empty();
            }

            @Override
            public String decode(TokenSequence tokens) {
                return "";
            }

            @Override
            public int vocabularySize() {
                return 1;
            }

            @Override
            public Map<String, Integer> specialTokens() {
                return Map.of();
            }

            @Override
            public StreamingDecoder streamingDecoder() {
                throw new UnsupportedOperationException();
            }
        };

        assertThatThrownBy(() -> TokenizerFiles.save(own, dir))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("only BytePairTokenizer, SentencePieceTokenizer and CharacterTokenizer")
                .hasMessageContaining("by your own code");
        assertThat(dir).isEmptyDirectory();
    }

    private void assertRefused(Consumer<ObjectNode> edit, String problem, String remedy) throws IOException {
        assertLoadFails(edited(edit), problem, remedy);
    }

    private static void assertLoadFails(Path file, String problem, String remedy) {
        assertThatThrownBy(() -> TokenizerFiles.load(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining(problem)
                .hasMessageContaining(remedy);
    }

    private Path edited(Consumer<ObjectNode> edit) throws IOException {
        Path file = dir.resolve("edited.json");
        TokenizerFiles.save(Texts.TOKENIZER, file);
        ObjectNode root = (ObjectNode) MAPPER.readTree(file.toFile());
        edit.accept(root);
        MAPPER.writeValue(file.toFile(), root);
        return file;
    }

    private static ObjectNode model(ObjectNode root) {
        return (ObjectNode) root.get("model");
    }

    private static ObjectNode vocabulary(ObjectNode root) {
        return (ObjectNode) model(root).get("vocab");
    }

    private static ArrayNode merges(ObjectNode root) {
        return (ArrayNode) model(root).get("merges");
    }

    private static ArrayNode added(ObjectNode root) {
        return (ArrayNode) root.get("added_tokens");
    }

    private static BytePairTokenizer withSplits(List<String> splits) {
        return BytePairTokenizer.of(
                Texts.TOKENIZER.vocabulary(),
                Texts.TOKENIZER.merges(),
                Texts.TOKENIZER.specialTokens(),
                Pretokenizer.of(splits));
    }
}
