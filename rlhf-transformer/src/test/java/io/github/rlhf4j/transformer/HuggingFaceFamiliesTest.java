package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that transformers wrote, and its log-probs on them; see make.py beside the resources. */
class HuggingFaceFamiliesTest {

    @TempDir
    Path root;

    private static Path resource(String name) {
        return FamilyFigures.RESOURCES.resolve(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpt2",
                "gpt2-untied",
                "llama",
                "llama-biases",
                "llama3",
                "llama-linear",
                "mistral",
                "qwen2",
                "gemma",
                "palm"
            })
    void scoresWhatTransformersScores(String family) throws IOException {
        try (TransformerPolicy policy = FamilyFigures.policy(resource(family))) {
            FamilyFigures.assertClose(FamilyFigures.logProbs(policy), FamilyFigures.ofTransformers(family));
        }
    }

    @Test
    void aWindowThatSlidesIsTheContext() throws IOException {
        assertThat(ModelDirectory.open(resource("mistral")).config().contextLength())
                .isEqualTo(16);
    }

    @Test
    void readsSequenceClassifiers() throws IOException {
        assertThat(ModelDirectory.open(resource("reward")).hasScoreHead()).isTrue();
        try (ScalarTransformer model = FamilyFigures.reward()) {
            FamilyFigures.assertClose(FamilyFigures.scores(model), FamilyFigures.ofTransformers("reward"));
        }
    }

    /** Shapes that each family can hold, beyond those of the resources. */
    private static Map<String, TransformerConfig> shapes() {
        Map<String, TransformerConfig> shapes = new LinkedHashMap<>();
        shapes.put("gpt2", TransformerConfig.gpt2(13, 32, 12, 2, 3).withFeedForwardWidth(20));
        TransformerConfig llama = TransformerConfig.llama(13, 32, 16, 3, 4);
        shapes.put("llama", llama);
        shapes.put(
                "llama3",
                llama.toBuilder()
                        .keyValueHeads(2)
                        .headSize(6)
                        .rotary(new Rotary(500_000, new Rotary.Llama3(8, 1, 4, 16)))
                        .tiedEmbeddings(true)
                        .build());
        shapes.put(
                "llama-linear",
                llama.toBuilder()
                        .rotary(new Rotary(10_000, new Rotary.Linear(2)))
                        .build());
        shapes.put(
                "llama-biases",
                llama.toBuilder().biases(TransformerConfig.Biases.ALL).build());
        shapes.put(
                "qwen2",
                TransformerConfig.qwen2(13, 32, 16, 2, 4).toBuilder()
                        .keyValueHeads(2)
                        .build());
        shapes.put(
                "gemma",
                TransformerConfig.gemma(13, 32, 16, 2, 4).toBuilder()
                        .keyValueHeads(1)
                        .headSize(8)
                        .build());
        shapes.put("palm", TransformerConfig.palm(13, 32, 16, 2, 4));
        return shapes;
    }

    private Path save(String name, TransformerConfig config) throws IOException {
        Path directory = root.resolve(name);
        try (TransformerPolicy policy = TestModels.inFloat(config, 7)) {
            ModelDirectory.save(
                    directory, config, policy.parameters(), CharacterTokenizer.fromTexts(List.of("abcdefghi")));
        }
        return directory;
    }

    @Test
    void whatIsWrittenIsReadToTheSameBits() throws IOException {
        for (Map.Entry<String, TransformerConfig> shape : shapes().entrySet()) {
            Path directory = save(shape.getKey(), shape.getValue());
            try (TransformerPolicy read = FamilyFigures.policy(directory);
                    TransformerPolicy written = TestModels.inFloat(shape.getValue(), 7)) {
                assertThat(read.config()).as(shape.getKey()).isEqualTo(shape.getValue());
                // what is stored less a shift, as Gemma's gains are, can lose its last bit
                double bits = shape.getKey().equals("gemma") ? 1e-6 : 0;
                assertThat(read.parameters().values().data().asDouble())
                        .as(shape.getKey())
                        .containsExactly(written.parameters().values().data().asDouble(), within(bits));
            }
        }
    }

    @Test
    void halfPrecisionAndShards() throws IOException {
        TransformerConfig config = TransformerConfig.llama(13, 32, 16, 3, 4);
        for (TensorType type : List.of(TensorType.F16, TensorType.BF16)) {
            try (TransformerPolicy policy = TestModels.inFloat(config, 7)) {
                Path directory = root.resolve(type.name());
                ModelDirectory.save(
                        directory,
                        config,
                        policy.parameters(),
                        CharacterTokenizer.fromTexts(List.of("abcdefghi")),
                        type,
                        2000);
                assertThat(Files.exists(directory.resolve("model.safetensors.index.json")))
                        .isTrue();
                try (TransformerPolicy read = FamilyFigures.policy(directory)) {
                    double[] expected = policy.parameters().values().data().asDouble();
                    double[] actual = read.parameters().values().data().asDouble();
                    double precision = type == TensorType.F16 ? 0x1p-11 : 0x1p-8; // half a unit in the last place
                    for (int i = 0; i < expected.length; i++) {
                        assertThat(actual[i]).isCloseTo(expected[i], within(1e-7 + precision * Math.abs(expected[i])));
                    }
                }
            }
        }
    }

    /** Needs {@code RLHF4J_PEERS}, a virtual environment with torch and transformers (docs/benchmarks.md). */
    @Test
    void transformersScoresWhatWeWroteAsWeDo() throws Exception {
        String peers = System.getenv("RLHF4J_PEERS");
        assumeThat(peers).as("RLHF4J_PEERS names no Python environment").isNotNull();
        List<String> command = new ArrayList<>(
                List.of(peers + "/bin/python", resource("check.py").toString()));
        List<double[][]> expected = new ArrayList<>();
        for (Map.Entry<String, TransformerConfig> shape : shapes().entrySet()) {
            Path directory = save(shape.getKey(), shape.getValue());
            command.add(directory.toString());
            try (TransformerPolicy policy = FamilyFigures.policy(directory)) {
                expected.add(FamilyFigures.logProbs(policy));
            }
        }
        Process process = new ProcessBuilder(command)
                .redirectError(root.resolve("errors").toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(() -> read(root.resolve("errors"))).isZero();
        JsonNode results = new ObjectMapper().readTree(out);
        assertThat(results.size()).isEqualTo(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            FamilyFigures.assertClose(FamilyFigures.rows(results.get(i)), expected.get(i));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
