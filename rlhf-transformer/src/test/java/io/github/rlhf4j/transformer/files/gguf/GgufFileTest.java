package io.github.rlhf4j.transformer.files.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.transformer.files.Numbers;
import io.github.rlhf4j.transformer.files.TensorInfo;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.WritableTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goldens of the {@code gguf} package for Python; {@code gguf-goldens/generate.py} says how they were made. */
class GgufFileTest {

    private static final Path GOLDENS = Path.of("src/test/resources/gguf-goldens");

    @TempDir
    Path directory;

    private static JsonNode golden() throws IOException {
        return new ObjectMapper().readTree(GOLDENS.resolve("golden.json").toFile());
    }

    private static float[] floats(String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        float[] floats = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(floats);
        return floats;
    }

    @Test
    void everyTypeDequantisesToTheReferencesFloatsFromAnyElementOn() throws IOException {
        try (GgufFile file = GgufFile.open(GOLDENS.resolve("golden.gguf"))) {
            JsonNode expected = golden().get("dequantized");
            assertThat(file.tensors()).hasSize(expected.size());
            for (TensorInfo tensor : file.tensors().values()) {
                float[] reference = floats(expected.get(tensor.name()).textValue());
                float[] read = new float[reference.length];
                file.read(tensor.name(), 0, read, 0, read.length);
                assertThat(read).as(tensor.toString()).isEqualTo(reference);
                float[] part = new float[305];
                file.read(tensor.name(), 17, part, 5, 300);
                for (int i = 0; i < 300; i++) {
                    assertThat(part[5 + i]).isEqualTo(reference[17 + i]);
                }
            }
        }
    }

    @Test
    void metadataOfEveryTypeIsRead() throws IOException {
        try (GgufFile file = GgufFile.open(GOLDENS.resolve("golden.gguf"))) {
            GgufMetadata metadata = file.metadata();
            assertThat(metadata.text("general.architecture")).isEqualTo("llama");
            assertThat(metadata.whole("u8")).isEqualTo(200);
            assertThat(metadata.whole("i16")).isEqualTo(-6);
            assertThat(metadata.whole("u32")).isEqualTo(4_000_000_000L);
            assertThat(metadata.real("f64")).isEqualTo(0.1);
            assertThat(metadata.flag("b")).isTrue();
            assertThat(metadata.text("s")).isEqualTo("grüße");
            assertThat(metadata.texts("words")).containsExactly("a", "b c", "ü");
            assertThat(metadata.wholes("ints")).containsExactly(1, -2, 3);
            assertThat(metadata.reals("reals")).containsExactly(0.5, -0.25);
            assertThatIOException()
                    .isThrownBy(() -> metadata.whole("u64"))
                    .withMessageContainingAll("golden.gguf", "u64", "below 2^63", "9223372036854775809");
        }
    }

    @Test
    void whatIsWrittenHasTheReferencesBytes() throws IOException {
        JsonNode golden = golden();
        float[] source = floats(golden.get("source").textValue());
        Numbers numbers = (first, into, at, length) -> System.arraycopy(source, (int) first, into, at, length);
        Map<TensorType, String> goldens = Map.of(
                TensorType.Q8_0, "q8_0", TensorType.F16, "f16", TensorType.BF16, "bf16", TensorType.F32, "source");
        for (Map.Entry<TensorType, String> entry : goldens.entrySet()) {
            Path path = directory.resolve(entry.getValue() + ".gguf");
            WritableTensor tensor = new WritableTensor("w", entry.getKey(), new long[] {6, 32}, numbers);
            GgufFile.write(path, Map.of(), List.of(tensor));
            byte[] bytes = Files.readAllBytes(path);
            byte[] expected =
                    HexFormat.of().parseHex(golden.get(entry.getValue()).textValue());
            assertThat(bytes.length % 32).isZero();
            int head = (24 + 8 + 1 + 4 + 16 + 4 + 8 + 31) / 32 * 32;
            assertThat(java.util.Arrays.copyOfRange(bytes, head, head + expected.length))
                    .as(entry.getValue())
                    .isEqualTo(expected);
            try (GgufFile file = GgufFile.open(path)) {
                assertThat(file.require("w").shape()).containsExactly(6, 32);
            }
        }
    }
}
