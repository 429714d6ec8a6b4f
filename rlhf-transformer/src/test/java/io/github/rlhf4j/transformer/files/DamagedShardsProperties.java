package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeContainer;

/** A damaged index, or a damaged shard, is numbers or a message. */
class DamagedShardsProperties {

    private static final String SHARD = "model-00001-of-00002.safetensors";
    private static Damage index;
    private static Damage shard;

    @BeforeContainer
    static void writeSoundFiles() throws IOException {
        index = damage(SafetensorsSet.INDEX_FILE);
        shard = damage(SHARD);
    }

    private static Damage damage(String name) throws IOException {
        Path directory = Files.createTempDirectory("damaged-shards");
        Numbers numbers = (first, into, at, length) -> {};
        List<WritableTensor> tensors = List.of(
                new WritableTensor("a", TensorType.F32, new long[] {3}, numbers),
                new WritableTensor("b", TensorType.F16, new long[] {2, 2}, numbers),
                new WritableTensor("c", TensorType.BF16, new long[] {4}, numbers));
        SafetensorsSet.write(directory, Map.of("format", "pt"), tensors, 20);
        return new Damage(directory.resolve(name), () -> {
            try (SafetensorsSet set = SafetensorsSet.open(directory)) {
                Damage.readTensors(set);
            }
        });
    }

    @Example
    void everyCutIsRefused() throws IOException {
        int text = new String(index.sound(), StandardCharsets.UTF_8)
                .stripTrailing()
                .length();
        for (int length = 0; length < text; length++) {
            assertThat(index.cut(length)).as("cut at %d", length).isNotNull();
        }
        for (int length = 0; length < shard.sound().length; length++) {
            assertThat(shard.cut(length)).as("cut at %d", length).isNotNull();
        }
    }

    @Example
    void oddNumbersAnywhereInTheHeadOfAShardAreAnsweredOrRefused() throws IOException {
        shard.spliceEverywhere(64);
    }

    @Property(tries = 1000)
    void flippedBytesAreAnsweredOrRefused(
            @ForAll @IntRange(max = 100_000) int first,
            @ForAll @IntRange(max = 100_000) int second,
            @ForAll byte mask,
            @ForAll byte otherMask)
            throws IOException {
        index.flip(first, mask, second, otherMask);
        shard.flip(first, mask, second, otherMask);
    }

    /** Any text as the name of a shard: what is no name of a file here is refused, and nothing outside is opened. */
    @Property(tries = 1000)
    void anyNameOfAShardIsAnsweredOrRefused(@ForAll String name) throws IOException {
        StringBuilder escaped = new StringBuilder();
        name.chars().forEach(c -> escaped.append(String.format("\\u%04x", c)));
        String json = "{\"weight_map\":{\"a\":\"" + escaped + ".safetensors\"}}";
        assertThat(index.read(json.getBytes(StandardCharsets.UTF_8), "a shard named " + escaped))
                .isNotNull();
    }

    @Property(tries = 300)
    void anyBytesAreAnsweredOrRefused(@ForAll byte[] bytes) throws IOException {
        assertThat(index.read(bytes, "any bytes")).isNotNull();
    }
}
