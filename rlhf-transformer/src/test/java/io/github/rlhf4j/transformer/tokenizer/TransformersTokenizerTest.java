package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** What we save with a LLaMA, {@code AutoTokenizer} of transformers encodes as we do, with and without what frames a text. */
class TransformersTokenizerTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    Path root;

    private static FramedTokenizer resource(String family) throws IOException {
        return (FramedTokenizer) TokenizerFiles.load(Path.of("src/test/resources/tokenizers", family + ".json"));
    }

    private Path save(String name, FramedTokenizer tokenizer) throws IOException {
        Path directory = root.resolve(name);
        TransformerConfig config = TransformerConfig.llama(tokenizer.vocabularySize(), 64, 8, 1, 2);
        try (ParameterStore store = Transformer.declareWithHead(config).allocate(DataType.FLOAT)) {
            ModelDirectory.save(directory, config, store, tokenizer);
        }
        return directory;
    }

    /** Of the goldens: 50 texts of many scripts, spaces and emoji; what names a special token is encoded otherwise there. */
    private static List<String> texts() throws IOException {
        JsonNode goldens = MAPPER.readTree(
                Path.of("src/test/resources/tokenizers/llama2.goldens.json").toFile());
        return StreamSupport.stream(goldens.spliterator(), false)
                .map(golden -> golden.path("text").asText())
                .filter(text -> !text.contains("<|") && !text.contains("<s>") && !text.contains("</s>"))
                .filter(text -> !text.contains("<unk>") && !text.contains("[INST]"))
                .limit(50)
                .toList();
    }

    @Test
    void theRolesOfTokensAreSavedWithTheModel() throws IOException {
        Path directory = save("model", resource("llama2"));
        JsonNode config =
                MAPPER.readTree(directory.resolve(TokenizerFiles.CONFIG_NAME).toFile());
        assertThat(config.path("tokenizer_class").asText()).isEqualTo("PreTrainedTokenizerFast");
        assertThat(config.path("bos_token").asText()).isEqualTo("<s>");
        assertThat(TokenizerFiles.load(directory)).isEqualTo(resource("llama2"));

        save("model", resource("llama2").frame().equals(TextFrame.NONE) ? resource("llama2") : unframed());
        config = MAPPER.readTree(directory.resolve(TokenizerFiles.CONFIG_NAME).toFile());
        assertThat(config.has("bos_token")).as("of the tokenizer before").isFalse();
    }

    /** Ids that a model's own tokenizer gives these roles, in {@code config.json} and {@code generation_config.json}. */
    @ParameterizedTest
    @CsvSource({
        "llama2, 1, 2, null",
        "mistral, 1, 2, null",
        "llama3, <|begin_of_text|>, <|end_of_text|>, null",
        "smollm2, <|endoftext|>, <|endoftext|>, null",
        "gpt2, <|endoftext|>, <|endoftext|>, null",
        "qwen2, <|endoftext|>, <|endoftext|>, null"
    })
    void idsByRoleAreTheTokenizersOwn(String family, String beginning, String end, String padding) throws IOException {
        FramedTokenizer tokenizer = resource(family);
        Path directory = save(family, tokenizer);
        for (String file : List.of("config.json", "generation_config.json")) {
            JsonNode json = MAPPER.readTree(directory.resolve(file).toFile());
            assertThat(json.get("bos_token_id").asText()).as(file).isEqualTo(id(tokenizer, beginning));
            assertThat(json.get("eos_token_id").asText()).as(file).isEqualTo(id(tokenizer, end));
            assertThat(json.get("pad_token_id").asText()).as(file).isEqualTo(padding);
        }
    }

    @Test
    void aChatModelEndsTurnsOtherwiseThanDocuments() throws IOException {
        BytePairTokenizer tokenizer = (BytePairTokenizer) resource("qwen2");
        int turnEnd = tokenizer.specialToken("<|im_end|>");
        int documentEnd = tokenizer.specialToken("<|endoftext|>");
        Path directory = save(
                "chat", tokenizer.withFrame(new TextFrame(OptionalInt.empty(), OptionalInt.of(turnEnd), false, false)));

        JsonNode json =
                MAPPER.readTree(directory.resolve("generation_config.json").toFile());
        assertThat(json.get("eos_token_id").toString()).isEqualTo("[" + turnEnd + "," + documentEnd + "]");
        assertThat(json.get("pad_token_id").asInt()).isEqualTo(documentEnd);
        json = MAPPER.readTree(directory.resolve("config.json").toFile());
        assertThat(json.get("eos_token_id").asInt()).isEqualTo(turnEnd);
    }

    private static String id(FramedTokenizer tokenizer, String name) {
        return name.startsWith("<") ? Integer.toString(tokenizer.specialToken(name)) : name;
    }

    private static FramedTokenizer unframed() throws IOException {
        return ((SentencePieceTokenizer) resource("llama2")).withFrame(TextFrame.NONE);
    }

    /** Needs {@code RLHF4J_PEERS}, a virtual environment with transformers (docs/benchmarks.md). */
    @Test
    void transformersEncodesWhatWeSavedAsWeDo() throws Exception {
        String peers = System.getenv("RLHF4J_PEERS");
        assumeThat(peers).as("RLHF4J_PEERS names no Python environment").isNotNull();
        Map<String, FramedTokenizer> tokenizers = new LinkedHashMap<>();
        for (String family : List.of("llama3", "smollm2", "qwen2", "gpt2", "llama2", "mistral")) {
            tokenizers.put(family, resource(family));
        }
        tokenizers.put("unframed", unframed());
        tokenizers.put(
                "ends",
                ((SentencePieceTokenizer) resource("llama2"))
                        .withFrame(new TextFrame(OptionalInt.of(1), OptionalInt.of(2), true, true)));
        tokenizers.put("stories", SentencePieceTokenizer.loadLlama2c(SharedData.file("data/stories260K/tok512.bin")));
        List<String> texts = texts();
        assertThat(texts).hasSize(50);
        Path file = root.resolve("texts.json");
        MAPPER.writeValue(file.toFile(), texts);
        List<String> command = new ArrayList<>(
                List.of(peers + "/bin/python", "src/test/resources/tokenizers/auto_tokenizer.py", file.toString()));
        for (Map.Entry<String, FramedTokenizer> entry : tokenizers.entrySet()) {
            command.add(save(entry.getKey(), entry.getValue()).toString());
        }
        Path errors = root.resolve("errors");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        JsonNode results = MAPPER.readTree(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(Files.readString(errors)).isZero();
        int i = 0;
        for (Map.Entry<String, FramedTokenizer> entry : tokenizers.entrySet()) {
            JsonNode result = results.get(i++);
            assertSameRoles(result.path("roles"), root.resolve(entry.getKey()));
            for (int t = 0; t < texts.size(); t++) {
                String what = entry.getKey() + ": " + texts.get(t);
                assertThat(entry.getValue().encode(texts.get(t)).toArray())
                        .as(what)
                        .isEqualTo(MAPPER.convertValue(result.path("plain").get(t), int[].class));
                assertThat(entry.getValue().encodeFramed(texts.get(t)).toArray())
                        .as(what)
                        .isEqualTo(MAPPER.convertValue(result.path("framed").get(t), int[].class));
            }
        }
    }

    private static void assertSameRoles(JsonNode roles, Path directory) throws IOException {
        String[] files = {"config.json", "generation_config.json"};
        for (int i = 0; i < files.length; i++) {
            JsonNode json = MAPPER.readTree(directory.resolve(files[i]).toFile());
            assertThat(roles.get(i))
                    .as("%s", directory.resolve(files[i]))
                    .containsExactly(json.get("bos_token_id"), json.get("eos_token_id"), json.get("pad_token_id"));
            assertThat(json.get("eos_token_id").isNull()).as("%s", directory).isFalse();
        }
    }
}
