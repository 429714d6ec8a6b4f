package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a {@code config.json} of the families with rotary positions asks for and cannot get is refused by field. */
class ConfigRefusalsTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    private Path changed(String family, Consumer<ObjectNode> change) throws IOException {
        Path source = Path.of("src/test/resources/families", family);
        Files.write(directory.resolve("model.safetensors"), Files.readAllBytes(source.resolve("model.safetensors")));
        ObjectNode json =
                (ObjectNode) JSON.readTree(source.resolve("config.json").toFile());
        change.accept(json);
        return Files.writeString(directory.resolve("config.json"), json.toString());
    }

    private void assertRefused(String family, Consumer<ObjectNode> change, String... says) throws IOException {
        changed(family, change);
        assertThatIOException()
                .isThrownBy(() -> ModelDirectory.open(directory))
                .withMessageStartingWith(directory.toString())
                .withMessageContainingAll(says);
    }

    /** Heads are given by {@code head_dim} where it is there: 3 heads of 2 do not have to make 8. */
    @Test
    void headsMustShareTheWidth() throws IOException {
        assertRefused(
                "llama",
                json -> json.put("num_attention_heads", 3)
                        .put("num_key_value_heads", 3)
                        .remove("head_dim"),
                "config.json: hidden_size must be a multiple of num_attention_heads (3), got 8");
        assertRefused(
                "llama", json -> json.put("num_key_value_heads", 3), "num_key_value_heads", "divisor of num", "3");
        assertRefused("llama", json -> json.put("head_dim", 3), "head_dim must be an even number", "got 3");
        assertRefused(
                "llama", json -> json.put("head_dim", 1 << 30), "num_attention_heads must be at most", "head_dim");
        assertRefused("palm", json -> json.put("num_attention_heads", 3), "hidden_size must be a multiple", "(3)");
        assertRefused(
                "palm",
                json -> json.put("num_attention_heads", json.path("hidden_size").asInt()),
                "hidden_size must be an even number times num_attention_heads");
    }

    @Test
    void otherModelsAndOtherPositionsAreRefused() throws IOException {
        assertRefused(
                "llama", json -> json.put("model_type", "mamba"), "model_type must be one of", "llama", "\"mamba\"");
        assertRefused("llama", json -> json.remove("model_type"), "model_type must be one of", "got nothing");
        assertRefused(
                "llama", json -> json.put("hidden_act", "relu"), "hidden_act must be one of [silu, swish]", "relu");
        assertRefused(
                "llama",
                json -> json.putObject("rope_scaling").put("rope_type", "yarn"),
                "rope_type must be one of [default, linear, llama3], got \"yarn\"");
        assertRefused(
                "llama",
                json -> json.putObject("rope_scaling").put("type", "linear").put("factor", 0.5),
                "factor must be a number of at least 1, got 0.5");
        assertRefused("llama", json -> json.put("rope_scaling", 3), "rope_scaling must be an object, got 3");
        assertRefused("llama", json -> json.put("rope_theta", 1), "rope_theta must be a number above 1, got 1");
        assertRefused("palm", json -> json.put("logit_scale", 0.25), "logit_scale must be 1", "got 0.25");
        assertRefused("llama", json -> json.put("mlp_bias", true), "mlp_bias must be false as attention_bias");
    }

    @Test
    void whatNoFileHoldsIsRefusedByItsFirstTensor() throws IOException {
        assertRefused(
                "llama", json -> json.put("num_hidden_layers", 1_000_000_000), "tensor model.layers.", "is missing");
        assertRefused("llama", json -> json.put("vocab_size", Integer.MAX_VALUE), "embed_tokens", "[2147483647, 8]");
        assertRefused("llama", json -> json.put("hidden_size", 1L << 60), "hidden_size", "1 to 268435455");
        assertRefused("llama", json -> json.put("hidden_size", 1 << 28), "hidden_size", "got 268435456");
        assertRefused("llama", json -> json.put("intermediate_size", 1 << 30), "intermediate_size", "1 to 1073741823");
        assertRefused("llama", json -> json.put("rms_norm_eps", 0), "rms_norm_eps must be a number between 0 and 1");
        assertRefused("llama", json -> json.put("resid_pdrop", 1), "resid_pdrop must be a number in [0, 1), got 1");
    }

    @Test
    void textThatIsNotUtf8IsRefusedByFile() throws IOException {
        changed("llama", json -> {});
        Files.write(directory.resolve("chat_template.jinja"), new byte[] {(byte) 0xff});
        ModelDirectory model = ModelDirectory.open(directory);
        assertThatIOException()
                .isThrownBy(model::chatTemplate)
                .withMessageContaining("chat_template.jinja: is not UTF-8");
        Files.writeString(directory.resolve("chat_template.jinja"), "{{ messages }}");
        assertThat(model.chatTemplate()).hasValue("{{ messages }}");
    }
}
