package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.nd4j.linalg.api.buffer.DataType;

/** The models among the resources, and what transformers and PEFT compute with them; see make.py and make_lora.py there. */
final class FamilyFigures {

    /** Figures are rounded to 6 decimals; float32 through two blocks here and there. */
    static final double TOLERANCE = 2e-5;

    static final Path RESOURCES = Path.of("src/test/resources/families");

    private FamilyFigures() {}

    /** What transformers computes with the model of this name. */
    static double[][] ofTransformers(String name) throws IOException {
        return rows(read("figures.json").path("figures").path(name));
    }

    /** What PEFT computes with the adapters of this name. */
    static double[][] ofPeft(String name) throws IOException {
        return rows(read("lora/figures.json").path(name));
    }

    private static JsonNode read(String file) throws IOException {
        return new ObjectMapper().readTree(RESOURCES.resolve(file).toFile());
    }

    static List<TokenSequence> tokens() throws IOException {
        return StreamSupport.stream(read("figures.json").path("tokens").spliterator(), false)
                .map(row -> TokenSequence.of(IntStream.range(0, row.size())
                        .map(i -> row.get(i).intValue())
                        .toArray()))
                .toList();
    }

    static double[][] rows(JsonNode figures) {
        return StreamSupport.stream(figures.spliterator(), false)
                .map(row -> IntStream.range(0, row.size())
                        .mapToDouble(i -> row.get(i).doubleValue())
                        .toArray())
                .toArray(double[][]::new);
    }

    static void assertClose(double[][] actual, double[][] expected) {
        assertThat(actual.length).isEqualTo(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).containsExactly(expected[i], within(TOLERANCE));
        }
    }

    /** A model whose directory has no tokenizer. */
    static TransformerPolicy policy(Path directory) throws IOException {
        ModelDirectory files = ModelDirectory.open(directory);
        TransformerPolicy policy = TransformerPolicy.allocate(
                files.config(), TestModels.ids(files.config().vocabularySize()), AdamWConfig.gpt3(), DataType.FLOAT);
        files.readInto(policy.parameters());
        return policy;
    }

    static ScalarTransformer reward() throws IOException {
        ModelDirectory files = ModelDirectory.open(RESOURCES.resolve("reward"));
        ScalarTransformer model = ScalarTransformer.allocate(files.config(), AdamWConfig.gpt3(), DataType.FLOAT);
        files.readInto(model.parameters());
        return model;
    }

    static double[][] logProbs(TransformerPolicy policy) throws IOException {
        List<ScoredSequence> texts =
                tokens().stream().map(ScoredSequence::ofText).toList();
        return policy.score(new SequenceBatch(texts, 1)).logProbs();
    }

    /** Of every token. */
    static double[][] scores(ScalarTransformer model) throws IOException {
        List<int[]> positions = tokens().stream()
                .map(row -> IntStream.range(0, row.length()).toArray())
                .toList();
        return model.score(tokens(), positions);
    }
}
