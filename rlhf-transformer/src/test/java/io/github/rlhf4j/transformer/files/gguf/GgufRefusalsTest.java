package io.github.rlhf4j.transformer.files.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.rlhf4j.transformer.files.Numbers;
import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.WritableTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each rule of the format: what breaks it is refused by file, field, rule, value and remedy. */
class GgufRefusalsTest {

    private static final int F32 = 0;

    @TempDir
    Path directory;

    private Path file(GgufBytes bytes) throws IOException {
        return Files.write(directory.resolve("model.gguf"), bytes.toBytes());
    }

    private void assertRefused(GgufBytes bytes, String... says) throws IOException {
        Path file = file(bytes);
        assertThatIOException()
                .isThrownBy(() -> GgufFile.open(file).close())
                .withMessageStartingWith(file + ": ")
                .withMessageContainingAll(says);
    }

    @Test
    void otherFilesAndVersionsAreRefused() throws IOException {
        assertRefused(new GgufBytes().int32(0x67676d6c).int64(0).int64(0), "starts with \"GGUF\"", "6c6d6767");
        assertRefused(GgufBytes.head(1, 0, 0), "has GGUF version 1, read are 2 and 3", "convert the model again");
        assertRefused(GgufBytes.head(4, 0, 0), "has GGUF version 4");
        assertRefused(GgufBytes.head(3 << 24, 0, 0), "is big-endian", "gguf_convert_endian.py");
        assertRefused(new GgufBytes(), "the magic", "0 bytes of the head remain", "truncated or damaged");
    }

    @Test
    void countsThatTheFileCannotHoldAreRefused() throws IOException {
        assertRefused(GgufBytes.head(3, 0, 1L << 60), "metadata keys: 1152921504606846976", "0 bytes of the head");
        assertRefused(GgufBytes.head(3, 1L << 60, 0), "tensors: 1152921504606846976", "truncated or damaged");
        assertRefused(GgufBytes.head(3, -1, 0), "tensors: 18446744073709551615");
        assertRefused(GgufBytes.head(3, 0, -1), "metadata keys: 18446744073709551615");
        GgufBytes array = GgufBytes.head(3, 0, 1).key("k", GgufType.ARRAY).int32(GgufType.UINT8.ordinal());
        assertRefused(array.int64(1L << 60), "metadata k: 1152921504606846976 of at least 1 bytes");
        GgufBytes text = GgufBytes.head(3, 0, 1).key("k", GgufType.STRING).int64(1L << 60);
        assertRefused(text, "metadata k may have", "bytes at most", "1152921504606846976");
        GgufBytes key = GgufBytes.head(3, 0, 1).int64(70_000).bytes(new byte[80_000]);
        assertRefused(key, "a metadata key may have 65535 bytes at most, it is given 70000");
    }

    @Test
    void metadataThatBreaksARuleIsRefusedByKey() throws IOException {
        GgufBytes twice = GgufBytes.head(3, 0, 2).key("k", GgufType.UINT8).int8(1);
        assertRefused(twice.key("k", GgufType.UINT8).int8(1), "metadata k stands there twice");
        assertRefused(GgufBytes.head(3, 0, 1).text("k").int32(13).int64(0), "metadata k has the type 13", "0 to 12");
        assertRefused(GgufBytes.head(3, 0, 1).key("k", GgufType.BOOL).int8(2), "metadata k must be 0 or 1, it is 2");
        GgufBytes name = GgufBytes.head(3, 0, 1).int64(2).bytes(new byte[] {(byte) 0xc3, 0x28});
        assertRefused(name.int32(0).int64(0), "a metadata key is not UTF-8", "convert the model again");
        GgufBytes value = GgufBytes.head(3, 0, 1).key("k", GgufType.STRING).int64(1);
        assertRefused(value.int8(0xff), "metadata k is not UTF-8");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3, 48, -3})
    void alignmentThatIsNoPowerOfTwoIsRefused(int alignment) throws IOException {
        GgufBytes bytes = GgufBytes.head(3, 0, 1)
                .key("general.alignment", GgufType.UINT32)
                .int32(alignment);
        assertRefused(bytes, "metadata general.alignment must be a UINT32 that is a power of two", "it is Whole");
    }

    @Test
    void alignmentOfAnotherTypeIsRefused() throws IOException {
        GgufBytes bytes =
                GgufBytes.head(3, 0, 1).key("general.alignment", GgufType.INT32).int32(32);
        assertRefused(bytes, "metadata general.alignment must be a UINT32", "INT32");
    }

    @Test
    void arraysNestEightDeepAndNoDeeper() throws IOException {
        assertThat(nested(8).values().toString()).contains("UINT8");
        assertThatIOException()
                .isThrownBy(() -> nested(9))
                .withMessageContaining("metadata k nests arrays more than 8 deep");
    }

    private GgufMetadata nested(int depth) throws IOException {
        GgufBytes bytes = GgufBytes.head(3, 0, 1).key("k", GgufType.ARRAY);
        for (int i = 1; i < depth; i++) {
            bytes.int32(GgufType.ARRAY.ordinal()).int64(1);
        }
        bytes.int32(GgufType.UINT8.ordinal()).int64(1).int8(5);
        try (GgufFile file = GgufFile.open(file(bytes))) {
            return file.metadata();
        }
    }

    @Test
    void tensorsThatBreakARuleAreRefusedByName() throws IOException {
        assertRefused(one("w", 4, 0, 4), "tensor w has ggml's type 4", "not read here", "quantise the model as Q8_0");
        assertRefused(one("w", -1, 0, 4), "tensor w has ggml's type 4294967295");
        assertRefused(one("w", F32, 16, 4), "tensor w begins at byte 16", "a multiple of general.alignment 32");
        assertRefused(one("w", F32, -32, 4), "tensor w begins at byte 18446744073709551584");
        assertRefused(one("w", F32, 32, 4), "tensor w[4] ends at byte 48 of the data, the file holds 32", "truncated");
        assertRefused(one("w", F32, 1L << 60, 4), "tensor w[4] ends at byte", "the file holds 32");
        assertRefused(one("w", F32, Long.MAX_VALUE - 31, 1 << 20), "tensor w of type F32", "cannot be");
        assertRefused(one("w", F32, 0, 0), "tensor w has a dimension of 0");
        assertRefused(one("w", F32, 0, -1), "tensor w has a dimension of 18446744073709551615");
        assertRefused(one("w", F32, 0, 1L << 60, 1L << 60), "tensor w of type F32", "too large for any file");
        assertRefused(one("w", F32, 0, 1, 1, 1, 1, 1), "tensor w may have 4 dimensions at most, it has 5");
        assertRefused(one("w", 8, 0, 31), "tensor w of type Q8_0", "a multiple of 32");
        GgufBytes name =
                GgufBytes.head(3, 1, 0).int64(1).int8(0xff).int32(0).int32(F32).int64(0);
        assertRefused(name, "the name of tensor 0 is not UTF-8");
    }

    private static GgufBytes one(String name, int type, long place, long... shape) {
        return GgufBytes.head(3, 1, 0).tensor(name, type, place, shape).pad(32).bytes(new byte[32]);
    }

    @Test
    void duplicateAndOverlappingTensorsAreRefused() throws IOException {
        GgufBytes twice = GgufBytes.head(3, 2, 0).tensor("w", F32, 0, 4).tensor("w", F32, 32, 4);
        assertRefused(twice.pad(32).bytes(new byte[64]), "tensor w stands there twice");
        GgufBytes overlapping = GgufBytes.head(3, 2, 0).tensor("w", F32, 32, 4).tensor("v", F32, 0, 9);
        assertRefused(overlapping.pad(32).bytes(new byte[64]), "tensor w begins at byte 32", "tensor v ends at 36");
        GgufBytes same = GgufBytes.head(3, 2, 0).tensor("w", F32, 0, 4).tensor("v", F32, 0, 4);
        assertRefused(same.pad(32).bytes(new byte[64]), "they overlap");
    }

    @Test
    void version2IsReadAsVersion3Is() throws IOException {
        GgufBytes bytes = GgufBytes.head(2, 1, 2)
                .key("general.alignment", GgufType.UINT32)
                .int32(64)
                .key("k", GgufType.INT16)
                .int8(0xfe)
                .int8(0xff)
                .tensor("w", F32, 0, 2, 3)
                .pad(64);
        for (int i = 0; i < 6; i++) {
            bytes.int32(Float.floatToRawIntBits(i + 0.5f));
        }
        try (GgufFile file = GgufFile.open(file(bytes))) {
            assertThat(file.version()).isEqualTo(2);
            assertThat(file.metadata().whole("k")).isEqualTo(-2);
            assertThat(file.require("w").shape()).containsExactly(3, 2);
            float[] read = new float[6];
            file.read("w", 0, read, 0, 6);
            assertThat(read).containsExactly(0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f);
        }
    }

    @Test
    void everyTypeOfMetadataComesBack() throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        whole(metadata, GgufType.UINT8, 0, 255);
        whole(metadata, GgufType.INT8, -128, 127);
        whole(metadata, GgufType.UINT16, 0, 65_535);
        whole(metadata, GgufType.INT16, Short.MIN_VALUE, Short.MAX_VALUE);
        whole(metadata, GgufType.UINT32, 0, 4_294_967_295L);
        whole(metadata, GgufType.INT32, Integer.MIN_VALUE, Integer.MAX_VALUE);
        whole(metadata, GgufType.UINT64, 0, -1);
        whole(metadata, GgufType.INT64, Long.MIN_VALUE, Long.MAX_VALUE);
        metadata.put("f32", new GgufValue.Real(GgufType.FLOAT32, 1.5f));
        metadata.put("nan", new GgufValue.Real(GgufType.FLOAT32, Double.NaN));
        metadata.put("f64", new GgufValue.Real(GgufType.FLOAT64, Math.PI));
        metadata.put("on", new GgufValue.Flag(true));
        metadata.put("off", new GgufValue.Flag(false));
        metadata.put("text", new GgufValue.Text("grüße 😀"));
        metadata.put("empty", new GgufValue.Text(""));
        metadata.put("no flags", new GgufValue.Values(GgufType.BOOL, List.of()));
        GgufValue.Values reals =
                new GgufValue.Values(GgufType.FLOAT64, List.of(new GgufValue.Real(GgufType.FLOAT64, -0.25)));
        GgufValue.Values texts =
                new GgufValue.Values(GgufType.STRING, List.of(new GgufValue.Text("a"), new GgufValue.Text("")));
        GgufValue.Values inner = new GgufValue.Values(GgufType.ARRAY, List.of(reals, texts));
        metadata.put("nested", new GgufValue.Values(GgufType.ARRAY, List.of(inner, texts)));
        Numbers zero = (first, into, at, length) -> {};
        Path path = directory.resolve("all.gguf");
        GgufFile.write(path, metadata, List.of(new WritableTensor("w", TensorType.F32, new long[] {1}, zero)));
        try (GgufFile file = GgufFile.open(path)) {
            assertThat(file.version()).isEqualTo(3);
            assertThat(file.metadata().values()).containsExactlyEntriesOf(metadata);
        }
    }

    private static void whole(Map<String, GgufValue> metadata, GgufType type, long least, long most) {
        metadata.put(type + " least", new GgufValue.Whole(type, least));
        metadata.put(type + " most", new GgufValue.Whole(type, most));
    }
}
