package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.rlhf4j.transformer.files.LoraDirectory;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters that PEFT wrote, and what it computes with them; see make_lora.py beside the resources. */
class LoraFilesTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path root;

    /** Cohere's heads are of 4 here: in those of 2 the order of channels would not matter. */
    private static Path base(String family) {
        return FamilyFigures.RESOURCES.resolve(family.equals("palm") ? "lora/palm-base" : family);
    }

    private static TransformerPolicy policy(String family) throws IOException {
        return FamilyFigures.policy(base(family));
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt2", "palm"})
    void scoresWhatPeftScores(String family) throws IOException {
        try (TransformerPolicy base = policy(family);
                TransformerPolicy adapted =
                        base.loadLora(FamilyFigures.RESOURCES.resolve("lora/" + family), AdamWConfig.gpt3());
                TransformerPolicy merged = adapted.merged()) {
            FamilyFigures.assertClose(FamilyFigures.logProbs(adapted), FamilyFigures.ofPeft(family));
            FamilyFigures.assertClose(FamilyFigures.logProbs(merged), FamilyFigures.ofPeft(family));
        }
    }

    @Test
    void readsAdaptersOfSequenceClassifiersWithTheirHead() throws IOException {
        try (ScalarTransformer base = FamilyFigures.reward();
                ScalarTransformer adapted =
                        base.loadLora(FamilyFigures.RESOURCES.resolve("lora/reward"), AdamWConfig.gpt3())) {
            FamilyFigures.assertClose(FamilyFigures.scores(adapted), FamilyFigures.ofPeft("reward"));
        }
    }

    @Test
    void whatWasReadIsWrittenToTheSameBits() throws IOException {
        for (String family : List.of("llama", "gpt2", "palm")) {
            Path again = root.resolve(family);
            try (TransformerPolicy base = policy(family);
                    TransformerPolicy adapted =
                            base.loadLora(FamilyFigures.RESOURCES.resolve("lora/" + family), AdamWConfig.gpt3())) {
                adapted.saveLora(again);
                try (TransformerPolicy read = base.loadLora(again, AdamWConfig.gpt3())) {
                    assertThat(read.lora()).isEqualTo(adapted.lora());
                    assertThat(read.parameters().values().data().asFloat())
                            .containsExactly(
                                    adapted.parameters().values().data().asFloat());
                }
            }
        }
    }

    @Test
    void settingsAreThoseOfTheFile() throws IOException {
        try (TransformerPolicy base = policy("gpt2")) {
            LoraConfig lora = LoraDirectory.open(FamilyFigures.RESOURCES.resolve("lora/gpt2"), base.config(), false)
                    .lora();
            assertThat(lora)
                    .isEqualTo(new LoraConfig(
                            3,
                            5,
                            0.1,
                            EnumSet.of(
                                    LoraTarget.QUERY_KEY_VALUE,
                                    LoraTarget.ATTENTION_OUTPUT,
                                    LoraTarget.UP,
                                    LoraTarget.DOWN)));
        }
        try (TransformerPolicy base = policy("palm")) {
            assertThat(LoraDirectory.open(FamilyFigures.RESOURCES.resolve("lora/palm"), base.config(), false)
                            .lora()
                            .alpha())
                    .as("rank-stabilised")
                    .isCloseTo(5 * Math.sqrt(3), within(1e-12));
        }
    }

    @Test
    void namesOfLayersTellThemFromThoseThatAreNotAdapted() throws IOException {
        try (TransformerPolicy base = policy("gpt2");
                TransformerPolicy adapted = base.withLora(
                        LoraConfig.defaults().withTargets(Set.of(LoraTarget.ATTENTION_OUTPUT, LoraTarget.UP)),
                        AdamWConfig.gpt3(),
                        1)) {
            adapted.saveLora(root);
            JsonNode names =
                    JSON.readTree(root.resolve("adapter_config.json").toFile()).path("target_modules");
            assertThat(names.toString()).isEqualTo("[\"attn.c_proj\",\"c_fc\"]");
        }
    }

    @Test
    void theBaseIsNamedWhereItIsKnown() throws IOException {
        try (TransformerPolicy base = policy("llama");
                TransformerPolicy adapted = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 1)) {
            adapted.saveLora(root);
            assertThat(savedBase().isNull()).isTrue();
            adapted.saveLora(root, "models/llama");
            assertThat(savedBase().asText()).isEqualTo("models/llama");
        }
        try (ScalarTransformer base = FamilyFigures.reward();
                ScalarTransformer adapted = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 1)) {
            adapted.saveLora(root, "models/reward");
            assertThat(savedBase().asText()).isEqualTo("models/reward");
        }
    }

    private JsonNode savedBase() throws IOException {
        return JSON.readTree(root.resolve("adapter_config.json").toFile()).get("base_model_name_or_path");
    }

    private void assertRefused(String field, Object value, String... message) throws IOException {
        Path from = FamilyFigures.RESOURCES.resolve("lora/llama");
        Files.copy(
                from.resolve(LoraDirectory.WEIGHTS_FILE),
                root.resolve(LoraDirectory.WEIGHTS_FILE),
                StandardCopyOption.REPLACE_EXISTING);
        ObjectNode json = (ObjectNode)
                JSON.readTree(from.resolve(LoraDirectory.CONFIG_FILE).toFile());
        json.putPOJO(field, value);
        JSON.writeValue(root.resolve(LoraDirectory.CONFIG_FILE).toFile(), json);
        try (TransformerPolicy base = policy("llama")) {
            assertThatThrownBy(() -> base.loadLora(root, AdamWConfig.gpt3()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll(message);
        }
    }

    @Test
    void whatThereIsNotHereIsRefused() throws IOException {
        assertRefused("peft_type", "IA3", "peft_type", "LORA", "IA3");
        assertRefused("use_dora", true, "use_dora", "false");
        assertRefused("bias", "all", "bias", "none");
        assertRefused("rank_pattern", Map.of("q_proj", 4), "rank_pattern", "one rank");
        assertRefused("r", 4, "lora_A.weight", "[4, 8]", "[3, 8]");
        assertRefused("lora_dropout", 1.5, "dropout must lie in [0, 1), got 1.5");
        try (TransformerPolicy base = policy("qwen2")) {
            assertThatThrownBy(() -> base.loadLora(FamilyFigures.RESOURCES.resolve("lora/gpt2"), AdamWConfig.gpt3()))
                    .hasMessageContaining("no adapter of a Qwen2's projections");
        }
    }

    /** Needs {@code RLHF4J_PEERS}, a virtual environment with torch, transformers and peft (docs/benchmarks.md). */
    @Test
    void peftScoresWhatWeWroteAsWeDo() throws Exception {
        String peers = System.getenv("RLHF4J_PEERS");
        assumeThat(peers).as("RLHF4J_PEERS names no Python environment").isNotNull();
        List<String> command = new ArrayList<>(List.of(
                peers + "/bin/python",
                FamilyFigures.RESOURCES.resolve("check_lora.py").toString()));
        List<double[][]> expected = new ArrayList<>();
        for (String family : List.of("llama", "gpt2", "palm", "qwen2", "gemma", "mistral")) {
            Set<LoraTarget> targets = family.equals("gpt2")
                    ? EnumSet.of(LoraTarget.QUERY_KEY_VALUE, LoraTarget.UP, LoraTarget.ATTENTION_OUTPUT)
                    : EnumSet.complementOf(EnumSet.of(LoraTarget.QUERY_KEY_VALUE));
            Path directory = root.resolve(family);
            try (TransformerPolicy base = policy(family);
                    TransformerPolicy adapted =
                            base.withLora(new LoraConfig(4, 6.5, 0.05, targets), AdamWConfig.gpt3(), 3)) {
                TestModels.perturb(adapted, 4);
                adapted.saveLora(directory, base(family).toAbsolutePath().toString());
                expected.add(FamilyFigures.logProbs(adapted));
            }
            command.addAll(List.of(base(family).toString(), directory.toString()));
        }
        try (ScalarTransformer base = FamilyFigures.reward();
                ScalarTransformer adapted = base.withLora(LoraConfig.defaults(), AdamWConfig.gpt3(), 3)) {
            adapted.parameters().values().addi(0.05);
            adapted.saveLora(root.resolve("reward"));
            expected.add(FamilyFigures.scores(adapted));
        }
        command.addAll(List.of(
                FamilyFigures.RESOURCES.resolve("reward").toString(),
                root.resolve("reward").toString()));
        Path errors = root.resolve("errors");
        Process process =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        JsonNode results = JSON.readTree(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as("%s", Files.readString(errors)).isZero();
        assertThat(results.size()).isEqualTo(expected.size());
        for (int i = 0; i < expected.size(); i++) {
            FamilyFigures.assertClose(FamilyFigures.rows(results.get(i)), expected.get(i));
        }
    }
}
