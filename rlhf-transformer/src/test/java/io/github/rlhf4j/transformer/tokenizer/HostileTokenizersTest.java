package io.github.rlhf4j.transformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Files and metadata of strangers: read, or refused by name, and nothing else. */
class HostileTokenizersTest {

    private static final List<String> ODD =
            List.of("null", "-1", "[]", "{}", "\"\"", "true", "1e99", "2147483647", "[[[1]]]", "\"\\ud800\"");

    @Property(tries = 400)
    void aTokenizerJsonIsReadOrRefused(@ForAll long seed, @ForAll @IntRange(min = 0, max = 3) int family)
            throws IOException {
        Random random = new Random(seed);
        String json = resource(List.of("llama3", "qwen2", "llama2", "mistral").get(family));
        int at = random.nextInt(json.length());
        int value = json.indexOf(':', at) + 1;
        int end = Math.max(json.indexOf(',', value), value);
        String broken = random.nextBoolean()
                ? json.substring(0, value) + ODD.get(random.nextInt(ODD.size())) + json.substring(end)
                : json.substring(0, at) + json.substring(Math.min(json.length(), at + random.nextInt(30)));
        Path file = Files.createTempFile("hostile", ".json");
        try {
            Files.write(file, broken.getBytes(StandardCharsets.ISO_8859_1));
            assertThat(TokenizerFiles.load(file).encode("The cat's 123 \ud800").toArray())
                    .isNotNull();
        } catch (IOException refused) {
            assertThat(refused.getMessage()).startsWith(file.toString());
        } finally {
            Files.delete(file);
        }
    }

    @Example
    void aTokenizerBinWithALengthBeyondItsEndIsRefusedByToken() throws IOException {
        Path file = Files.createTempFile("hostile", ".bin");
        byte[] bytes = ByteBuffer.allocate(17)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(5)
                .putFloat(0)
                .putInt(Integer.MAX_VALUE)
                .array();
        Files.write(file, bytes);
        assertThatThrownBy(() -> SentencePieceTokenizer.loadLlama2c(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file + ": token 0.length is 2147483647");
        Files.write(file, Arrays.copyOf(bytes, 10));
        assertThatThrownBy(() -> SentencePieceTokenizer.loadLlama2c(file)).hasMessageContaining("token 0 is cut off");
        Files.delete(file);
    }

    @Property(tries = 200)
    void metadataIsUnderstoodOrRefusedByKey(@ForAll @IntRange(min = 0, max = 20) int key, @ForAll long seed) {
        Map<String, Object> metadata = new HashMap<>(GgufTokenizers.metadata(Texts.TOKENIZER));
        List<String> keys = metadata.keySet().stream().sorted().toList();
        List<Object> odd = List.of("x", -1, true, List.of(), List.of(7), 1e99, new int[] {1}, Long.MAX_VALUE);
        metadata.put(keys.get(key % keys.size()), odd.get((int) Math.floorMod(seed, (long) odd.size())));
        try {
            assertThat(GgufTokenizers.of(metadata).encode("The cat").toArray()).isNotNull();
        } catch (IllegalArgumentException refused) {
            assertThat(refused.getMessage()).startsWith("tokenizer.ggml.");
        }
    }

    /** Byte by byte, each as one character: a cut may then fall inside a character of UTF-8, as it does in files. */
    private static String resource(String family) throws IOException {
        try (InputStream in = Objects.requireNonNull(
                HostileTokenizersTest.class.getResourceAsStream("/tokenizers/" + family + ".json"))) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }
}
