package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.files.GgufModel;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.model.Rotary;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.tokenizer.GgufTokenizers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random tiny models as GGUF that we write, in llama.cpp. Needs {@code RLHF4J_PEERS}, a virtual environment with
 * llama-cpp-python (docs/benchmarks.md).
 */
class LlamaCppFamiliesTest {

    private static final int VOCABULARY = 257;
    private static final int MADE = 12;

    /** llama.cpp takes GELU from a table of halves, and exponentials of its own; log-probs of some units. */
    private static final double TOLERANCE = 5e-3;

    private static final String SCRIPT = """
            import json, sys
            import numpy, llama_cpp
            tokens = json.loads(sys.argv[2])
            model = llama_cpp.Llama(sys.argv[1], n_ctx=32, logits_all=True, verbose=False, n_threads=1, type_k=0, type_v=0)
            model.eval(tokens)
            logits = numpy.array(model.scores[:len(tokens)], dtype=numpy.float64)
            top = logits.max(axis=1, keepdims=True)
            log_probs = logits - top - numpy.log(numpy.exp(logits - top).sum(axis=1, keepdims=True))
            scored = [log_probs[i, tokens[i + 1]] for i in range(len(tokens) - 1)]
            model.reset()
            made = []
            for token in model.generate(tokens, temp=0.0, top_k=1, repeat_penalty=1.0):
                made.append(token)
                if len(made) == int(sys.argv[3]):
                    break
            print(json.dumps({"scored": scored, "made": made}))
            """;

    @TempDir
    Path root;

    private static TransformerConfig config(String family) {
        return switch (family) {
            case "gpt2" -> TransformerConfig.gpt2(VOCABULARY, 32, 32, 2, 4);
            case "qwen2" ->
                TransformerConfig.qwen2(VOCABULARY, 32, 32, 2, 4).toBuilder()
                        .keyValueHeads(2)
                        .build();
            case "gemma" ->
                TransformerConfig.gemma(VOCABULARY, 32, 32, 2, 4).toBuilder()
                        .keyValueHeads(1)
                        .headSize(16)
                        .build();
            case "llama3" ->
                TransformerConfig.llama(VOCABULARY, 32, 32, 2, 4).toBuilder()
                        .keyValueHeads(2)
                        .rotary(new Rotary(500, new Rotary.Llama3(8, 1, 4, 16)))
                        .build();
            case "llama-linear" ->
                TransformerConfig.llama(VOCABULARY, 32, 32, 2, 4).toBuilder()
                        .rotary(new Rotary(10_000, new Rotary.Linear(2)))
                        .build();
            default -> TransformerConfig.llama(VOCABULARY, 32, 32, 2, 4);
        };
    }

    /** The 256 characters that GPT-2 writes bytes as, and an end. */
    private static Tokenizer bytes() {
        List<String> tokens = new ArrayList<>();
        int others = 0;
        for (int b = 0; b < 256; b++) {
            boolean visible = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            tokens.add(String.valueOf((char) (visible ? b : 256 + others++)));
        }
        tokens.add("<|endoftext|>");
        List<Integer> types = new ArrayList<>(Collections.nCopies(256, 1));
        types.add(3);
        return GgufTokenizers.of(Map.of(
                "tokenizer.ggml.model",
                "gpt2",
                "tokenizer.ggml.pre",
                "gpt-2",
                "tokenizer.ggml.tokens",
                tokens,
                "tokenizer.ggml.token_type",
                types,
                "tokenizer.ggml.merges",
                List.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "llama3", "llama-linear", "qwen2", "gemma"})
    void saysWhatWeSay(String family) throws Exception {
        String peers = System.getenv("RLHF4J_PEERS");
        assumeThat(peers).as("RLHF4J_PEERS names no Python environment").isNotNull();
        Path file = root.resolve(family + ".gguf");
        TokenSequence tokens = TestModels.sequence(3, 16, 256);
        try (TransformerPolicy policy = TestModels.inFloat(config(family), 7)) {
            GgufModel.save(file, policy.config(), policy.parameters(), bytes(), Optional.empty(), TensorType.F32);
            Process process = new ProcessBuilder(
                            peers + "/bin/python",
                            "-c",
                            SCRIPT,
                            file.toString(),
                            tokens.stream().boxed().toList().toString(),
                            String.valueOf(MADE))
                    .redirectError(root.resolve("errors").toFile())
                    .start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor())
                    .as(Files.readString(root.resolve("errors")))
                    .isZero();
            JsonNode peer = new ObjectMapper().readTree(out);
            double[] scored = IntStream.range(0, peer.path("scored").size())
                    .mapToDouble(i -> peer.path("scored").path(i).doubleValue())
                    .toArray();
            assertThat(scored)
                    .containsExactly(
                            policy.score(new SequenceBatch(List.of(ScoredSequence.ofText(tokens)), 1))
                                    .logProbs()[0],
                            within(TOLERANCE));
            TokenSequence made = policy.complete(List.of(tokens), Sampling.greedy(MADE, Set.of()), 0)
                    .get(0)
                    .response();
            assertThat(IntStream.range(0, peer.path("made").size())
                            .map(i -> peer.path("made").path(i).intValue()))
                    .containsExactlyElementsOf(made.stream().boxed().toList());
        }
    }
}
