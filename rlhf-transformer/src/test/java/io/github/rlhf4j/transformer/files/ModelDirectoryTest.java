package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.kernels.Arena;
import io.github.rlhf4j.transformer.kernels.Nd4jKernels;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.Initialization;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ModelDirectoryTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Tokenizer CHAT =
            CharacterTokenizer.fromTexts(List.of("abcdefg"), "<|endoftext|>", "<|user|>", "<|end|>");

    private final TransformerConfig config =
            TransformerConfig.gpt2(CHAT.vocabularySize(), 16, 8, 2, 2).withDropout(0.1);

    @TempDir
    Path root;

    private static ParameterStore.Builder layout(TransformerConfig config) {
        return Transformer.declare(config);
    }

    private ParameterStore random(ParameterStore.Builder layout) {
        ParameterStore store = layout.allocate(DataType.FLOAT);
        Initialization.gpt2(store, config, RandomKey.of(7));
        return store;
    }

    private Path saved() throws IOException {
        Path directory = root.resolve("model");
        ModelDirectory.save(directory, config, random(layout(config)), CHAT);
        return directory;
    }

    private static JsonNode json(Path file) throws IOException {
        return JSON.readTree(Files.readAllBytes(file));
    }

    private static void edit(Path directory, Consumer<ObjectNode> change) throws IOException {
        Path file = directory.resolve("config.json");
        ObjectNode json = (ObjectNode) json(file);
        change.accept(json);
        Files.writeString(file, json.toString());
    }

    private void assertConfigRefused(Consumer<ObjectNode> change, String... says) throws IOException {
        Path directory = saved();
        edit(directory, change);
        assertThatIOException()
                .isThrownBy(() -> ModelDirectory.open(directory))
                .withMessageContainingAll(says)
                .withMessageContaining(directory.toString());
    }

    @Test
    void modelComesBackToTheSameBits() throws IOException {
        ParameterStore store = random(layout(config));
        ModelDirectory.save(root, config, store, CHAT);

        ModelDirectory model = ModelDirectory.open(root);
        ParameterStore read = layout(model.config()).allocate(DataType.FLOAT);
        model.readInto(read);

        assertThat(model.config()).isEqualTo(config);
        assertThat(model.hasScoreHead()).isFalse();
        assertThat(read.values().toFloatVector()).isEqualTo(store.values().toFloatVector());
        assertThat(model.tokenizer().specialTokens()).isEqualTo(CHAT.specialTokens());
        try (var files = Files.list(root)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "config.json",
                            "model.safetensors",
                            "tokenizer.json",
                            "tokenizer_config.json",
                            "generation_config.json");
        }
    }

    @Test
    void rewardModelIsASequenceClassifierWhosePaddingDoesNotEndATurn() throws IOException {
        ParameterStore store = random(layout(config).matrix(ModelDirectory.SCORE_HEAD, 1, config.width()));
        ModelDirectory.save(root, config, store, CHAT);

        JsonNode json = json(root.resolve("config.json"));
        assertThat(json.path("architectures").path(0).asText()).isEqualTo("GPT2ForSequenceClassification");
        assertThat(json.path("id2label")).hasSize(1);
        assertThat(json.path("eos_token_id").asInt()).isEqualTo(CHAT.specialToken("<|end|>"));
        assertThat(json.path("pad_token_id").asInt()).isEqualTo(CHAT.specialToken("<|endoftext|>"));
        assertThat(ModelDirectory.open(root).hasScoreHead()).isTrue();

        Tokenizer plain = CharacterTokenizer.fromTexts(List.of("abcdefg"), "<|endoftext|>");
        ModelDirectory.save(root, config, store, plain);
        json = json(root.resolve("config.json"));
        assertThat(json.path("eos_token_id").asInt()).isEqualTo(plain.specialToken("<|endoftext|>"));
        assertThat(json.path("pad_token_id").isNull()).isTrue();
    }

    @Test
    void generationStopsAtTheEndOfATurnAndOfADocument() throws IOException {
        JsonNode json = json(saved().resolve("generation_config.json"));
        assertThat(json.path("eos_token_id").path(0).asInt()).isEqualTo(CHAT.specialToken("<|end|>"));
        assertThat(json.path("eos_token_id").path(1).asInt()).isEqualTo(CHAT.specialToken("<|endoftext|>"));
    }

    @Test
    void huggingFaceFixtureGivesTheReferenceHiddenStates() throws IOException {
        Path fixture = SharedData.file("data/tiny-gpt2-hf-fixture");
        JsonNode reference = json(fixture.resolve("reference_output.json"));
        int[] ids = JSON.convertValue(reference.path("input_ids"), int[].class);
        double[][] expected = JSON.convertValue(reference.path("last_hidden_state"), double[][].class);

        ModelDirectory model = ModelDirectory.open(fixture);
        ParameterStore store = layout(model.config()).allocate(DataType.DOUBLE);
        model.readInto(store);
        Transformer transformer = new Transformer(model.config(), store, new Nd4jKernels());
        PackedTokens packed = PackedTokens.of(
                List.of(TokenSequence.of(ids)),
                model.config().vocabularySize(),
                model.config().contextLength());
        try (Arena arena = new Arena(DataType.DOUBLE)) {
            INDArray hidden =
                    transformer.forward(packed, null, Recomputation.NONE, arena).hidden();
            for (int t = 0; t < ids.length; t++) {
                for (int c = 0; c < 2; c++) {
                    assertThat(hidden.getDouble(t, c)).isEqualTo(expected[t][c], within(1e-6));
                }
            }
        }
    }

    @Test
    void configThatAsksForAnotherModelIsRefusedByField() throws IOException {
        assertConfigRefused(json -> json.put("model_type", "t5"), "model_type", "gpt2", "\"t5\"");
        assertConfigRefused(json -> json.put("activation_function", "relu"), "activation_function", "gelu_new");
        assertConfigRefused(
                json -> json.put("scale_attn_by_inverse_layer_idx", true), "scale_attn_by_inverse_layer_idx");
        assertConfigRefused(json -> json.put("tie_word_embeddings", false), "lm_head.weight", "is missing");
        assertConfigRefused(json -> json.remove("n_embd"), "n_embd", "got nothing");
        assertConfigRefused(json -> json.put("n_layer", 1e12), "n_layer", "whole number");
        assertConfigRefused(json -> json.put("n_head", 3), "n_embd", "multiple of n_head (3)");
        assertConfigRefused(json -> json.put("layer_norm_epsilon", "small"), "layer_norm_epsilon", "a number");
    }

    @Test
    void configThatPromisesMoreThanTheFileHoldsIsRefusedBeforeAnythingIsAllocated() throws IOException {
        assertConfigRefused(
                json -> json.put("vocab_size", Integer.MAX_VALUE), "transformer.wte.weight", "[2147483647, 8]");
        assertConfigRefused(json -> json.put("n_layer", 1_000_000_000), "transformer.h.2.ln_1.weight", "missing");
        assertConfigRefused(json -> json.put("n_inner", 33), "transformer.h.0.mlp.c_fc.weight", "[8, 33]");
    }

    @Test
    void brokenOrMissingFilesAreNamed() throws IOException {
        assertThatIOException()
                .isThrownBy(() -> ModelDirectory.open(root.resolve("nowhere")))
                .withMessageContaining("config.json is missing");
        Path directory = saved();
        Files.writeString(directory.resolve("config.json"), "{\"model_type\":");
        assertThatIOException()
                .isThrownBy(() -> ModelDirectory.open(directory))
                .withMessageContaining("config.json: is not JSON");
    }

    @Test
    void tensorsTheModelHasNoPlaceForAreRefusedAndNothingChanges() throws IOException {
        ParameterStore withHead = random(layout(config).matrix(ModelDirectory.SCORE_HEAD, 1, config.width()));
        ModelDirectory.save(root, config, withHead, CHAT);
        ParameterStore trunk = layout(config).allocate(DataType.FLOAT);
        assertThatIOException()
                .isThrownBy(() -> ModelDirectory.open(root).readInto(trunk))
                .withMessageContaining("no place in this model: [score.weight]");
        assertThat(trunk.values().toFloatVector()).containsOnly(0f);
    }

    @Test
    void tokenizerLargerThanTheModelIsNotSaved() {
        TransformerConfig small = TransformerConfig.gpt2(3, 16, 8, 2, 2);
        ParameterStore store = layout(small).allocate(DataType.FLOAT);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelDirectory.save(root.resolve("m"), small, store, CHAT))
                .withMessage("the tokenizer has 10 tokens, the model 3; save a model with its own tokenizer");
        assertThat(root.resolve("m")).doesNotExist();
    }
}
