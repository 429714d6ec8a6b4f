package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsSetTest {

    @TempDir
    Path directory;

    /** A tensor of this many floats, which count up from 0. */
    private static WritableTensor tensor(String name, int floats) {
        return new WritableTensor(name, TensorType.F32, new long[] {floats}, (first, into, at, length) -> {
            for (int i = 0; i < length; i++) {
                into[at + i] = first + i;
            }
        });
    }

    private void write(long mostBytes, WritableTensor... tensors) throws IOException {
        SafetensorsSet.write(directory, Map.of("format", "pt"), List.of(tensors), mostBytes);
    }

    private List<String> files() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private void assertRefused(String... says) {
        assertThatIOException()
                .isThrownBy(() -> SafetensorsSet.open(directory).close())
                .withMessageStartingWith(directory.toString())
                .withMessageContainingAll(says);
    }

    /** 8 + 8 bytes fill the first file, 40 do not fit into any, 12 begin the next one. */
    @Test
    void shardsAreFilledInOrderAndALargerTensorStandsAlone() throws IOException {
        write(16, tensor("a", 2), tensor("large", 10), tensor("b", 2), tensor("c", 3));
        List<List<String>> shards = new ArrayList<>();
        for (int i = 1; i <= 3; i++) {
            Path shard = directory.resolve("model-0000" + i + "-of-00003.safetensors");
            try (SafetensorsFile file = Safetensors.open(shard)) {
                shards.add(List.copyOf(file.tensors().keySet()));
            }
        }
        assertThat(shards).containsExactlyInAnyOrder(List.of("a", "b"), List.of("large"), List.of("c"));
        JsonNode index = new ObjectMapper()
                .readTree(directory.resolve(SafetensorsSet.INDEX_FILE).toFile());
        assertThat(index.at("/metadata/total_size").asInt()).isEqualTo(68);
        assertThat(index.at("/weight_map")).hasSize(4);
        try (SafetensorsSet set = SafetensorsSet.open(directory)) {
            float[] read = new float[10];
            set.read("large", 0, read, 0, 10);
            assertThat(read).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
            assertThat(set.tensors()).containsOnlyKeys("a", "b", "large", "c");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> write(0, tensor("a", 1)));
    }

    @Test
    void whatAnEarlierModelLeftOverIsDeleted() throws IOException {
        write(8, tensor("a", 2), tensor("b", 2), tensor("c", 2));
        Files.writeString(directory.resolve("model-notes.txt"), "mine");
        assertThat(files()).hasSize(5);
        write(8, tensor("a", 2), tensor("b", 2));
        assertThat(files())
                .containsExactly(
                        "model-00001-of-00002.safetensors",
                        "model-00002-of-00002.safetensors",
                        "model-notes.txt",
                        "model.safetensors.index.json");
        write(100, tensor("a", 2));
        assertThat(files()).containsExactly("model-notes.txt", "model.safetensors");
        write(8, tensor("a", 2), tensor("b", 2));
        assertThat(files()).doesNotContain("model.safetensors");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../../x.safetensors",
                "..\\\\x.safetensors",
                "/etc/x.safetensors",
                "C:x.safetensors",
                "a/b.safetensors",
                ".hidden.safetensors",
                "x.bin",
                ".safetensors",
                "a\\u0000b.safetensors"
            })
    void aShardElsewhereIsRefused(String shard) throws IOException {
        Files.writeString(directory.resolve(SafetensorsSet.INDEX_FILE), "{\"weight_map\":{\"w\":\"" + shard + "\"}}");
        assertRefused(
                "index.json: weight_map.w must be the name of a .safetensors file in the same directory", ", got ");
    }

    /** Half of a surrogate pair is in no name of a file. */
    @Test
    void aShardOfAnImpossibleNameIsRefused() throws IOException {
        Files.writeString(
                directory.resolve(SafetensorsSet.INDEX_FILE), "{\"weight_map\":{\"w\":\"\\ud800.safetensors\"}}");
        assertRefused("model.safetensors.index.json: names a shard", "no name of a file here", "copy the index again");
    }

    @Test
    void indexAndShardsMustAgree() throws IOException {
        assertRefused("holds neither model.safetensors nor model.safetensors.index.json", "safe_serialization=True");
        write(8, tensor("a", 2), tensor("b", 2));
        Path first = directory.resolve("model-00001-of-00002.safetensors");
        Path second = directory.resolve("model-00002-of-00002.safetensors");
        byte[] sound = Files.readAllBytes(second);

        Safetensors.writeTensors(second, Map.of(), List.of(tensor("a", 2), tensor("b", 2)));
        assertRefused(second + ": holds tensor a", "places in " + first.getFileName(), "not of one model");
        Safetensors.writeTensors(second, Map.of(), List.of(tensor("b", 2), tensor("stray", 1)));
        assertRefused(second + ": holds tensor stray", "does not name");
        Safetensors.writeTensors(second, Map.of(), List.of());
        assertRefused(second + ": lacks tensor b", "places there");
        Files.write(second, java.util.Arrays.copyOf(sound, sound.length - 1));
        assertRefused(second + ": tensor b needs data_offsets", "inside the 7 bytes of data");
        Files.delete(second);
        assertRefused(second + " is missing", "names it", "copy all shards");

        Path index = directory.resolve(SafetensorsSet.INDEX_FILE);
        Files.writeString(index, "{\"metadata\":{}}");
        assertRefused("needs a weight_map");
        Files.writeString(index, "{\"weight_map\":{\"a\":3}}");
        assertRefused("weight_map.a must be the name", "got 3");
        Files.writeString(index, "{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}");
        assertRefused("Duplicate field 'a'");
        Files.writeString(index, "[]");
        assertRefused("must be a JSON object");
    }
}
