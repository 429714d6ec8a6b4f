package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small tokenizers of the structure of well-known ones give the ids of Hugging Face's tokenizers and of SentencePiece. */
class ModelFamiliesTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    private Path dir;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "qwen2", "smollm2", "llama2", "mistral"})
    void idsAreThoseOfHuggingFace(String family) throws IOException {
        assertGoldens(load(family), family);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "qwen2", "smollm2", "llama2", "mistral"})
    void whatIsSavedIsLoadedEqual(String family) throws IOException {
        FramedTokenizer tokenizer = load(family);
        TokenizerFiles.save(tokenizer, dir);

        assertThat(TokenizerFiles.load(dir)).isEqualTo(tokenizer);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama3", "smollm2", "llama2"})
    void metadataOfGgufDescribesTheSameTokenizer(String family) throws IOException {
        assertGoldens(GgufTokenizers.of(GgufTokenizers.metadata(load(family))), family);
    }

    @Test
    void idsAreThoseOfSentencePiece() throws IOException {
        JsonNode model = MAPPER.readTree(resource("pieces.json").toFile());
        List<String> tokens = new ArrayList<>();
        List<TokenType> types = new ArrayList<>();
        float[] scores = new float[model.path("scores").size()];
        for (int id = 0; id < scores.length; id++) {
            tokens.add(model.path("tokens").get(id).asText());
            types.add(TokenType.of(model.path("types").get(id).asInt()));
            scores[id] = (float) model.path("scores").get(id).asDouble();
        }
        SentencePieceTokenizer tokenizer =
                SentencePieceTokenizer.of(tokens, scores, types, LeadingSpace.ALWAYS, TextFrame.NONE);
        for (JsonNode golden : model.path("goldens")) {
            String text = golden.path("text").asText();
            assertThat(tokenizer.encode(text).toArray()).as(text).isEqualTo(ids(golden.path("ids")));
        }
    }

    @Test
    void theTokenizerOfLlama2cDecodesWhatItsModelSaid() throws IOException {
        SentencePieceTokenizer tokenizer =
                SentencePieceTokenizer.loadLlama2c(SharedData.file("data/stories260K/tok512.bin"));
        assertThat(tokenizer.vocabularySize()).isEqualTo(512);
        assertThat(tokenizer.beginningOfText()).isEqualTo(OptionalInt.of(1));
        String story = Files.readString(SharedData.file("data/stories260K/expected_greedy_200.txt"));
        assertThat(tokenizer.decode(tokenizer.encode(story))).isEqualTo(story);
    }

    private static void assertGoldens(FramedTokenizer tokenizer, String family) throws IOException {
        for (JsonNode golden :
                MAPPER.readTree(resource(family + ".goldens.json").toFile())) {
            String text = golden.path("text").asText();
            assertThat(tokenizer.encode(text).toArray()).as(text).isEqualTo(ids(golden.path("ids")));
            assertThat(tokenizer.encodeFramed(text).toArray()).as(text).isEqualTo(ids(golden.path("framed")));
        }
    }

    private static int[] ids(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static FramedTokenizer load(String family) throws IOException {
        return (FramedTokenizer) TokenizerFiles.load(resource(family + ".json"));
    }

    private static Path resource(String name) {
        try {
            return Path.of(Objects.requireNonNull(ModelFamiliesTest.class.getResource("/tokenizers/" + name))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }
}
