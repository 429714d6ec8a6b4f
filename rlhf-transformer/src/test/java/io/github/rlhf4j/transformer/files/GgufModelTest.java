package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import io.github.rlhf4j.transformer.files.gguf.GgufValue;
import io.github.rlhf4j.transformer.files.llama2c.Llama2cFile;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.Transformer;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.GgufTokenizers;
import io.github.rlhf4j.transformer.tokenizer.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Where a model's numbers lie in GGUF, beside where other formats have them. */
class GgufModelTest {

    @TempDir
    Path root;

    private static ParameterStore read(ModelSource model) throws IOException {
        ParameterStore store = Transformer.declareWithHead(model.config()).allocate(DataType.FLOAT);
        model.readInto(store);
        return store;
    }

    private static float[] numbers(TensorFile file, String name) throws IOException {
        float[] numbers = new float[(int) file.require(name).length()];
        file.read(name, 0, numbers, 0, numbers.length);
        return numbers;
    }

    private static Tokenizer letters(int count) {
        List<String> tokens = IntStream.range(0, count)
                .mapToObj(i -> String.valueOf((char) ('a' + i)))
                .toList();
        return GgufTokenizers.of(Map.of(
                "tokenizer.ggml.model",
                "gpt2",
                "tokenizer.ggml.pre",
                "gpt-2",
                "tokenizer.ggml.tokens",
                tokens,
                "tokenizer.ggml.token_type",
                Collections.nCopies(count, 1),
                "tokenizer.ggml.merges",
                List.of()));
    }

    /** Saved, opened and read again; ε is a float in GGUF. */
    private GgufFile saved(ModelSource model, Tokenizer tokenizer) throws IOException {
        Path path = root.resolve("model.gguf");
        try (ParameterStore store = read(model)) {
            GgufModel.save(path, model.config(), store, tokenizer, Optional.of("{{ messages }}"), TensorType.F32);
            GgufModel opened = GgufModel.open(path);
            TransformerConfig expected = model.config().toBuilder()
                    .normEpsilon((float) model.config().normEpsilon())
                    .dropout(0)
                    .build();
            assertThat(opened.config()).isEqualTo(expected);
            assertThat(opened.tokenizer()).isEqualTo(tokenizer);
            assertThat(opened.chatTemplate()).hasValue("{{ messages }}");
            try (ParameterStore again = read(opened)) {
                assertThat(again.values().toFloatVector())
                        .isEqualTo(store.values().toFloatVector());
            }
        }
        return GgufFile.open(path);
    }

    /** llama.cpp and llama2.c both turn neighbours: the bytes of one are those of the other. */
    @Test
    void aLlamaHasTheMatricesOfLlama2c() throws IOException {
        Path stories = SharedData.file("data/stories260K/stories260K.bin");
        Tokenizer tokenizer = SentencePieceTokenizer.loadLlama2c(SharedData.file("data/stories260K/tok512.bin"));
        Map<String, String> names = Map.of(
                "blk.%d.attn_norm", "layers.%d.attention_norm",
                "blk.%d.attn_q", "layers.%d.attention.wq",
                "blk.%d.attn_k", "layers.%d.attention.wk",
                "blk.%d.attn_v", "layers.%d.attention.wv",
                "blk.%d.attn_output", "layers.%d.attention.wo",
                "blk.%d.ffn_norm", "layers.%d.ffn_norm",
                "blk.%d.ffn_gate", "layers.%d.feed_forward.w1",
                "blk.%d.ffn_up", "layers.%d.feed_forward.w3",
                "blk.%d.ffn_down", "layers.%d.feed_forward.w2",
                "output_norm", "norm");
        try (GgufFile gguf = saved(Llama2cModel.open(stories), tokenizer);
                Llama2cFile llama2c = Llama2cFile.open(stories)) {
            for (Map.Entry<String, String> name : names.entrySet()) {
                for (int layer = 0; layer < 5; layer++) {
                    String theirs = name.getValue().formatted(layer) + ".weight";
                    assertThat(numbers(gguf, name.getKey().formatted(layer) + ".weight"))
                            .as(theirs)
                            .isEqualTo(numbers(llama2c, theirs));
                }
            }
        }
    }

    /** The others turn halves of a head, as Hugging Face does. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "gemma"})
    void othersHaveTheMatricesOfHuggingFace(String family) throws IOException {
        Path directory = Path.of("src/test/resources/families", family);
        ModelDirectory model = ModelDirectory.open(directory);
        try (GgufFile gguf = saved(model, letters(model.config().vocabularySize()));
                SafetensorsSet safetensors = SafetensorsSet.open(directory)) {
            Map<String, String> names = Map.of(
                    "attn_q",
                    "self_attn.q_proj",
                    "attn_k",
                    "self_attn.k_proj",
                    "attn_v",
                    "self_attn.v_proj",
                    "ffn_gate",
                    "mlp.gate_proj",
                    "ffn_up",
                    "mlp.up_proj",
                    "ffn_down",
                    "mlp.down_proj");
            for (Map.Entry<String, String> name : names.entrySet()) {
                String theirs = "model.layers.1." + name.getValue();
                assertThat(numbers(gguf, "blk.1." + name.getKey() + ".weight"))
                        .as(theirs)
                        .isEqualTo(numbers(safetensors, theirs + ".weight"));
                if (family.equals("qwen2") && name.getKey().startsWith("attn")) {
                    assertThat(numbers(gguf, "blk.1." + name.getKey() + ".bias"))
                            .as(theirs)
                            .isEqualTo(numbers(safetensors, theirs + ".bias"));
                }
            }
            float[] gains = numbers(safetensors, "model.layers.1.post_attention_layernorm.weight");
            float[] whole = numbers(gguf, "blk.1.ffn_norm.weight");
            for (int i = 0; i < gains.length; i++) {
                assertThat(whole[i]).isCloseTo(gains[i] + (family.equals("gemma") ? 1 : 0), within(1e-6f));
            }
        }
    }

    @Test
    void gpt2HasItsMatricesTransposed() throws IOException {
        Path directory = Path.of("src/test/resources/families/gpt2");
        ModelDirectory model = ModelDirectory.open(directory);
        try (GgufFile gguf = saved(model, letters(model.config().vocabularySize()));
                SafetensorsSet safetensors = SafetensorsSet.open(directory)) {
            int width = model.config().width();
            float[] stored = numbers(safetensors, "transformer.h.1.attn.c_attn.weight");
            float[] transposed = numbers(gguf, "blk.1.attn_qkv.weight");
            for (int i = 0; i < stored.length; i++) {
                assertThat(transposed[i % (3 * width) * width + i / (3 * width)])
                        .isEqualTo(stored[i]);
            }
            assertThat(numbers(gguf, "blk.1.ffn_norm.bias"))
                    .isEqualTo(numbers(safetensors, "transformer.h.1.ln_2.bias"));
            assertThat(numbers(gguf, "position_embd.weight")).isEqualTo(numbers(safetensors, "transformer.wpe.weight"));
        }
    }

    /** Scaled frequencies are a tensor of divisors, or a factor; read back, they turn as before. */
    @ParameterizedTest
    @ValueSource(strings = {"llama3", "llama-linear"})
    void scaledPositionsTurnAsBefore(String family) throws IOException {
        ModelDirectory model = ModelDirectory.open(Path.of("src/test/resources/families", family));
        Path path = root.resolve("model.gguf");
        try (ParameterStore store = read(model)) {
            Tokenizer tokenizer = letters(model.config().vocabularySize());
            GgufModel.save(path, model.config(), store, tokenizer, Optional.empty(), TensorType.F16);
        }
        TransformerConfig opened = GgufModel.open(path).config();
        double[] expected = rotary(model.config()).frequencies(model.config().headSize());
        double[] frequencies = rotary(opened).frequencies(opened.headSize());
        assertThat(frequencies).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(frequencies[i]).isCloseTo(expected[i], within(1e-6 * expected[i]));
        }
        assertThat(rotary(opened).base()).isEqualTo(rotary(model.config()).base());
        assertThat(rotary(opened).scaling()).isNotNull();
        assertThat(opened.tiedEmbeddings()).isEqualTo(model.config().tiedEmbeddings());
    }

    private static Rotary rotary(TransformerConfig config) {
        return Objects.requireNonNull(config.rotary());
    }

    @Test
    void aHeadThatIsTurnedInPartIsRefused() throws IOException {
        Path directory = Path.of("src/test/resources/families/qwen2");
        ModelDirectory model = ModelDirectory.open(directory);
        Path changed = root.resolve("changed.gguf");
        try (GgufFile gguf = saved(model, letters(model.config().vocabularySize()))) {
            Map<String, GgufValue> metadata = gguf.metadata().copy();
            metadata.put("qwen2.rope.dimension_count", GgufModel.uint32(1));
            List<WritableTensor> tensors = gguf.tensors().values().stream()
                    .map(t -> new WritableTensor(t.name(), t.type(), t.shape(), gguf.numbers(t.name())))
                    .toList();
            GgufFile.write(changed, metadata, tensors);
        }
        assertThatIOException()
                .isThrownBy(() -> GgufModel.open(changed))
                .withMessageContaining("metadata qwen2.rope.dimension_count must be")
                .withMessageContaining("all of a head")
                .withMessageContaining("it is 1");
    }
}
