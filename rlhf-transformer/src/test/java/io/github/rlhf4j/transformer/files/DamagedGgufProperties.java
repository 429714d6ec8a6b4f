package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import io.github.rlhf4j.transformer.files.gguf.GgufType;
import io.github.rlhf4j.transformer.files.gguf.GgufValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeContainer;

/** A damaged GGUF file is numbers or a message. */
class DamagedGgufProperties {

    private static final int TENSORS = 3;
    private static Damage damage;
    private static int head;

    @BeforeContainer
    static void writeSoundFile() throws IOException {
        Path file = Files.createTempDirectory("damaged-gguf").resolve("damaged.gguf");
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", new GgufValue.Text("llama"));
        metadata.put("general.alignment", new GgufValue.Whole(GgufType.UINT32, 32));
        metadata.put("u8", new GgufValue.Whole(GgufType.UINT8, 200));
        metadata.put("real", new GgufValue.Real(GgufType.FLOAT64, 0.1));
        metadata.put("flag", new GgufValue.Flag(true));
        metadata.put("words", new GgufValue.Values(GgufType.STRING, List.of(new GgufValue.Text("ü"))));
        GgufValue.Values inner = new GgufValue.Values(
                GgufType.INT16,
                List.of(new GgufValue.Whole(GgufType.INT16, -6), new GgufValue.Whole(GgufType.INT16, 7)));
        metadata.put("nested", new GgufValue.Values(GgufType.ARRAY, List.of(inner, inner)));
        Numbers numbers = (first, into, at, length) -> {
            for (int i = 0; i < length; i++) {
                into[at + i] = first + i;
            }
        };
        List<WritableTensor> tensors = List.of(
                new WritableTensor("a", TensorType.F32, new long[] {3}, numbers),
                new WritableTensor("b", TensorType.F16, new long[] {2, 2, 5}, numbers),
                new WritableTensor("c", TensorType.Q8_0, new long[] {2, 32}, numbers));
        assertThat(tensors).hasSize(TENSORS);
        GgufFile.write(file, metadata, tensors);
        damage = new Damage(file, () -> read(file));
        head = damage.sound().length - 3 * 32 - 64; // c has 68 bytes, padded to 96
    }

    private static void read(Path path) throws IOException {
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.metadata().values().toString()).isNotNull();
            for (String key : file.metadata().values().keySet()) {
                if (file.metadata().values().get(key) instanceof GgufValue.Whole) {
                    file.metadata().whole(key);
                }
            }
            Damage.readTensors(file);
        }
    }

    @Example
    void everyCutOfTheHeadIsRefused() throws IOException {
        for (int length = 0; length < head; length++) {
            assertThat(damage.cut(length)).as("cut at %d", length).isNotNull();
        }
    }

    @Example
    void oddNumbersAnywhereInTheHeadAreAnsweredOrRefused() throws IOException {
        damage.spliceEverywhere(head);
    }

    @Property(tries = 2000)
    void flippedBytesAreAnsweredOrRefused(
            @ForAll @IntRange(max = 100_000) int first,
            @ForAll @IntRange(max = 100_000) int second,
            @ForAll byte mask,
            @ForAll byte otherMask)
            throws IOException {
        damage.flip(first % head, mask, second, otherMask);
    }

    @Property(tries = 300)
    void anyBytesAfterTheMagicAreAnsweredOrRefused(@ForAll byte[] bytes, @ForAll long keys) throws IOException {
        byte[] file = new byte[24 + bytes.length];
        System.arraycopy(damage.sound(), 0, file, 0, 16);
        file[16] = (byte) keys;
        System.arraycopy(bytes, 0, file, 24, bytes.length);
        damage.read(file, "any bytes");
    }
}
