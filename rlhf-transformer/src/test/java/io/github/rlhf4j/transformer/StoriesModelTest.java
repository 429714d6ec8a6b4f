package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.files.GgufModel;
import io.github.rlhf4j.transformer.files.Llama2cModel;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real model, stories260K of llama2.c (LLaMA, grouped heads), against llama2.c's own numbers and text. */
class StoriesModelTest {

    private static final String FOLDER = "data/stories260K/";

    /** The issue's. */
    private static final double LOGITS = 1e-4;

    @TempDir
    Path root;

    private static TransformerPolicy stories() throws IOException {
        return TransformerPolicy.load(SharedData.file(FOLDER + "stories260K.bin"), AdamWConfig.gpt3());
    }

    private static TokenSequence tokens(JsonNode ids) {
        int[] tokens = new int[ids.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids.get(i).intValue();
        }
        return TokenSequence.of(tokens);
    }

    private static void hasTheLogitsOfLlama2c(TransformerPolicy policy) throws IOException {
        JsonNode reference = new ObjectMapper()
                .readTree(
                        SharedData.file(FOLDER + "reference_logits_24x512.json").toFile());
        TokenSequence tokens = tokens(reference.path("tokens"));
        for (int length = 1; length <= tokens.length(); length++) {
            try (DecodingSession session = policy.openSession()) {
                float[] logits = session.start(List.of(tokens.slice(0, length)))[0];
                JsonNode expected = reference.path("logits").path(length - 1);
                assertThat(logits.length).isEqualTo(expected.size());
                for (int v = 0; v < logits.length; v++) {
                    assertThat((double) logits[v])
                            .as("logit %d after %d tokens", v, length)
                            .isCloseTo(expected.path(v).doubleValue(), within(LOGITS));
                }
            }
        }
    }

    private static String greedy(TransformerPolicy policy, int tokens) {
        TokenSequence start = TokenSequence.of(1);
        Completion completion = policy.complete(List.of(start), Sampling.greedy(tokens, Set.of(1)), 0)
                .get(0);
        return policy.tokenizer().decode(completion.response());
    }

    @Test
    void hasTheLogitsAndTheTextOfLlama2c() throws IOException {
        try (TransformerPolicy policy = stories()) {
            hasTheLogitsOfLlama2c(policy);
            String expected = Files.readString(SharedData.file(FOLDER + "expected_greedy_200.txt"));
            assertThat(greedy(policy, 200).strip()).isEqualTo(expected.strip());
        }
    }

    @Test
    void staysTheModelAsADirectoryAsGgufAndAsBin() throws IOException {
        Path directory = root.resolve("directory");
        Path gguf = root.resolve("model.gguf");
        Path bin = root.resolve("model.bin");
        try (TransformerPolicy policy = stories()) {
            policy.save(directory);
            GgufModel.save(
                    gguf, policy.config(), policy.parameters(), policy.tokenizer(), Optional.empty(), TensorType.F32);
            Llama2cModel.save(bin, policy.config(), policy.parameters());
            Files.copy(SharedData.file(FOLDER + "tok512.bin"), root.resolve("tok512.bin"));
        }
        byte[] written = Files.readAllBytes(bin);
        byte[] original = Files.readAllBytes(SharedData.file(FOLDER + "stories260K.bin"));
        assertThat(written).hasSameSizeAs(original);
        int tables = written.length - 2 * 512 * 4 * Float.BYTES; // cosines and sines, which llama2.c itself skips
        assertThat(Arrays.copyOf(written, tables)).isEqualTo(Arrays.copyOf(original, tables));
        for (Path path : List.of(directory, gguf, bin)) {
            try (TransformerPolicy policy = TransformerPolicy.load(path, AdamWConfig.gpt3())) {
                hasTheLogitsOfLlama2c(policy);
                assertThat(policy.tokenizer()).isInstanceOf(SentencePieceTokenizer.class);
                assertThat(policy.tokenizer().encode("Once upon a time"))
                        .isEqualTo(TokenSequence.of(403, 407, 261, 378));
            }
        }
    }

    @Test
    void eightBitsTellTheSameStoryForAWhile() throws IOException {
        Path gguf = root.resolve("model.gguf");
        try (TransformerPolicy policy = stories()) {
            GgufModel.save(
                    gguf, policy.config(), policy.parameters(), policy.tokenizer(), Optional.empty(), TensorType.Q8_0);
            try (TransformerPolicy rounded = TransformerPolicy.load(gguf, AdamWConfig.gpt3())) {
                assertThat(greedy(rounded, 20)).isEqualTo(greedy(policy, 20));
            }
        }
    }
}
