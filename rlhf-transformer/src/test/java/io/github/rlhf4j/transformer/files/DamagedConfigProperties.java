package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;

/** A {@code config.json} of any family with anything in any field is a model or a message that names field or tensor. */
class DamagedConfigProperties {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FAMILIES = List.of(
            "gpt2", "llama", "llama3", "llama-linear", "llama-biases", "mistral", "qwen2", "gemma", "palm", "reward");

    private static final List<String> ODD = List.of(
            "null",
            "-1",
            "0",
            "1",
            "2",
            "3",
            "5",
            "32",
            "0.5",
            "1e-320",
            "2147483647",
            "2147483648",
            "1073741824",
            "268435456",
            "1000000000",
            "1152921504606846976",
            "1e999",
            "-1e999",
            "123456789012345678901234567890",
            "true",
            "false",
            "\"\"",
            "\"x\"",
            "[]",
            "{}",
            "[[[[1]]]]",
            "{\"a\":{\"b\":1}}");

    private static final Map<String, Damage> DAMAGE = new HashMap<>();

    @BeforeContainer
    static void copySoundFiles() throws IOException {
        for (String family : FAMILIES) {
            Path directory = Files.createTempDirectory("damaged-config");
            for (String file : List.of("config.json", "model.safetensors")) {
                Files.copy(Path.of("src/test/resources/families", family, file), directory.resolve(file));
            }
            long bytes = Files.size(directory.resolve("model.safetensors"));
            DAMAGE.put(
                    family,
                    new Damage(
                            directory.resolve("config.json"),
                            () -> Damage.readModel(ModelDirectory.open(directory), bytes)));
        }
    }

    @Example
    void anythingInAnyFieldIsAModelOrNamed() throws IOException {
        for (String family : FAMILIES) {
            Damage damage = DAMAGE.get(family);
            JsonNode sound = JSON.readTree(damage.sound());
            for (List<String> path : paths(sound)) {
                for (String odd : ODD) {
                    assertNamed(damage, with(sound, path, odd), path, family + " " + path + " = " + odd);
                }
                assertNamed(damage, with(sound, path, null), path, family + " without " + path);
            }
        }
    }

    private static void assertNamed(Damage damage, String json, List<String> path, String what) throws IOException {
        String message = damage.read(json.getBytes(StandardCharsets.UTF_8), what);
        if (message != null) {
            assertThat(message.contains("tensor") || path.stream().anyMatch(message::contains))
                    .as("%s is refused by field or tensor: %s", what, message)
                    .isTrue();
        }
    }

    /** The fields, and those of objects in them. */
    private static List<List<String>> paths(JsonNode root) {
        List<List<String>> paths = new ArrayList<>();
        for (Map.Entry<String, JsonNode> field : root.properties()) {
            paths.add(List.of(field.getKey()));
            Set<Map.Entry<String, JsonNode>> inner = field.getValue().properties();
            inner.forEach(entry -> paths.add(List.of(field.getKey(), entry.getKey())));
        }
        return paths;
    }

    /** The text with another value, or, for null, without the field; put in as text, for not all values are numbers of Java. */
    private static String with(JsonNode sound, List<String> path, @Nullable String odd) {
        ObjectNode root = sound.deepCopy();
        ObjectNode parent = path.size() == 1 ? root : (ObjectNode) root.get(path.get(0));
        String field = path.get(path.size() - 1);
        if (odd == null) {
            parent.remove(field);
            return root.toString();
        }
        parent.put(field, "HERE");
        return root.toString().replace("\"HERE\"", odd);
    }

    @Property(tries = 1500)
    void flippedBytesAreAnsweredOrRefused(
            @ForAll @IntRange(max = 9) int family,
            @ForAll @IntRange(max = 100_000) int first,
            @ForAll @IntRange(max = 100_000) int second,
            @ForAll byte mask,
            @ForAll byte otherMask)
            throws IOException {
        DAMAGE.get(FAMILIES.get(family)).flip(first, mask, second, otherMask);
    }

    @Property(tries = 300)
    void anyBytesAreRefused(@ForAll byte[] bytes) throws IOException {
        assertThat(DAMAGE.get("llama").read(bytes, "any bytes")).isNotNull();
    }

    @Example
    void everyCutIsRefused() throws IOException {
        Damage damage = DAMAGE.get("llama3");
        int text = new String(damage.sound(), StandardCharsets.UTF_8)
                .stripTrailing()
                .length();
        for (int length = 0; length < text; length++) {
            assertThat(damage.cut(length)).as("cut at %d", length).isNotNull();
        }
    }

    /** Jackson takes leading zero bytes for UTF-32, and nests as deep as it is told. */
    @Example
    void otherEncodingsAndDeepNestsAreRefused() throws IOException {
        Damage damage = DAMAGE.get("gpt2");
        assertThat(damage.read(new byte[] {0, 0, 0, '{', 9, 9, 9, 9}, "UTF-32")).contains("config.json");
        assertThat(damage.read(new byte[] {(byte) 0xff, (byte) 0xfe}, "UTF-16")).contains("is not UTF-8");
        String deep = "{\"a\":" + "[".repeat(100_000);
        assertThat(damage.read(deep.getBytes(StandardCharsets.UTF_8), "a deep nest"))
                .contains("is not JSON");
        String twice = "{\"model_type\":\"gpt2\",\"model_type\":\"llama\"}";
        assertThat(damage.read(twice.getBytes(StandardCharsets.UTF_8), "a field twice"))
                .contains("model_type");
        assertThat(damage.read(new byte[5_000_000], "5 MB")).contains("4194304 bytes at most, it has 5000000");
    }
}
