package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.rlhf4j.core.test.SharedData;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SafetensorsTest {

    @TempDir
    Path directory;

    private static FlatTensor floats(String name, long offset, INDArray flat, long... shape) {
        return new FlatTensor(name, shape, flat, offset);
    }

    private Path file(String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        return Files.write(directory.resolve("model.safetensors"), bytes.array());
    }

    private void assertRefused(String header, int dataBytes, String... says) throws IOException {
        Path file = file(header, dataBytes);
        assertThatIOException()
                .isThrownBy(() -> Safetensors.open(file).close())
                .withMessageContainingAll(says)
                .withMessageContaining("model.safetensors");
    }

    @Test
    void whatIsWrittenComesBackToTheSameBits() throws IOException {
        float[] numbers = {1.5f, -0.0f, Float.MIN_VALUE, Float.MAX_VALUE, (float) Math.PI, Float.NEGATIVE_INFINITY, 7f};
        INDArray source = Nd4j.createFromArray(numbers);
        Path file = directory.resolve("a.safetensors");
        Safetensors.write(
                file,
                Map.of("format", "pt"),
                List.of(floats("b.weight", 1, source, 2, 3), floats("a.bias", 0, source, 1)));

        INDArray target = Nd4j.zeros(DataType.FLOAT, 9);
        try (SafetensorsFile opened = Safetensors.open(file)) {
            assertThat(opened.metadata()).containsExactly(Map.entry("format", "pt"));
            assertThat(opened.tensors().keySet()).containsExactly("b.weight", "a.bias");
            opened.read(floats("b.weight", 3, target, 2, 3));
            opened.read("a.bias", floats("anything", 0, target, 1));
        }
        float[] expected = {
            1.5f, 0, 0, -0.0f, Float.MIN_VALUE, Float.MAX_VALUE, (float) Math.PI, Float.NEGATIVE_INFINITY, 7f
        };
        assertThat(target.toFloatVector()).isEqualTo(expected);
    }

    @Test
    void moreThanOneChunkIsCopiedWhole() throws IOException {
        INDArray source = Nd4j.arange(700_001).castTo(DataType.DOUBLE).divi(7);
        Path file = directory.resolve("big.safetensors");
        Safetensors.write(file, Map.of(), List.of(FlatTensor.of("x", source)));
        INDArray target = Nd4j.zeros(DataType.DOUBLE, 700_001);
        try (SafetensorsFile opened = Safetensors.open(file)) {
            opened.read(FlatTensor.of("x", target));
        }
        assertThat(target.toDoubleVector()).isEqualTo(source.toDoubleVector());
    }

    @Test
    void halfPrecisionIsWidenedExactly() throws IOException {
        String header = "{\"h\":{\"dtype\":\"F16\",\"shape\":[5],\"data_offsets\":[0,10]},"
                + "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[10,14]}}";
        Path path = file(header, 14);
        byte[] bytes = Files.readAllBytes(path);
        ByteBuffer data = ByteBuffer.wrap(bytes, bytes.length - 14, 14).order(ByteOrder.LITTLE_ENDIAN);
        for (int half : new int[] {0x3c00, 0xc100, 0x0001, 0x7c00, 0x3555, 0x3f80, 0xc049}) {
            data.putShort((short) half);
        }
        Files.write(path, bytes);
        INDArray target = Nd4j.zeros(DataType.FLOAT, 7);
        try (SafetensorsFile opened = Safetensors.open(path)) {
            opened.read("h", floats("h", 0, target, 5));
            opened.read("b", floats("b", 5, target, 2));
        }
        assertThat(target.toFloatVector())
                .containsExactly(1f, -2.5f, 0x1p-24f, Float.POSITIVE_INFINITY, 0x1.554p-2f, 1f, -3.140625f);
    }

    @Test
    void everyTensorOfAHuggingFaceFileIsRead() throws IOException {
        Path path = SharedData.file("data/tiny-gpt2-hf-fixture/model.safetensors");
        INDArray target = Nd4j.zeros(DataType.FLOAT, 2048);
        try (SafetensorsFile opened = Safetensors.open(path)) {
            assertThat(opened.tensors()).hasSize(16);
            opened.read(floats("ln_f.weight", 0, target, 2));
            opened.read(floats("wte.weight", 2, target, 21, 2));
        }
        // The final norm of an untrained GPT-2 has gain 1; embeddings are drawn with deviation 0.02.
        assertThat(target.getFloat(0)).isEqualTo(1f);
        assertThat(target.getFloat(1)).isEqualTo(1f);
        double deviation = target.get(org.nd4j.linalg.indexing.NDArrayIndex.interval(2, 44))
                .stdNumber()
                .doubleValue();
        assertThat(deviation).isBetween(0.012, 0.03);
    }

    @ParameterizedTest
    @CsvSource({"1152921504606846976", "-1", "9223372036854775807", "0", "100"})
    void headerLengthThatTheFileCannotHoldIsRefused(long length) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        Path path = Files.write(directory.resolve("x.safetensors"), bytes.array());
        assertThatIOException()
                .isThrownBy(() -> Safetensors.open(path))
                .withMessageContaining("header length is given as " + Long.toUnsignedString(length))
                .withMessageContaining("24 bytes");
    }

    @Test
    void headersThatLieAreRefused() throws IOException {
        assertRefused("{\"a\"", 0, "not JSON");
        assertRefused("[1]", 0, "must be a JSON object");
        assertRefused("{} {}", 0, "not JSON");
        assertRefused("{\"__metadata__\":{\"k\":1}}", 0, "__metadata__.k", "must be text");
        assertRefused("{\"__metadata__\":3}", 0, "__metadata__ must be a JSON object");
        assertRefused(tensor("w", "F31", "[1]", "[0,4]"), 4, "tensor w", "dtype \"F31\"");
        assertRefused(tensor("w", "F32", "[-1]", "[0,4]"), 4, "tensor w", "shape", "-1");
        assertRefused(tensor("w", "F32", "[1.5]", "[0,4]"), 4, "tensor w", "shape", "1.5");
        assertRefused(tensor("w", "F32", "7", "[0,4]"), 4, "tensor w", "shape as an array");
        assertRefused(tensor("w", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "tensor w", "at most 8");
        assertRefused(tensor("w", "F32", "[99999999999999999999]", "[0,4]"), 4, "tensor w", "shape");
        assertRefused(tensor("w", "F32", "[4294967296,4294967296]", "[0,4]"), 4, "tensor w", "too large for any file");
        assertRefused(tensor("w", "F32", "[2]", "[0,4]"), 4, "tensor w", "does not fill its 4 bytes");
        assertRefused(tensor("w", "F32", "[2]", "[0,8]"), 4, "tensor w", "inside the 4 bytes");
        assertRefused(tensor("w", "F32", "[1]", "[4,0]"), 4, "tensor w", "data_offsets");
        assertRefused(tensor("w", "F32", "[1]", "[0]"), 4, "tensor w", "data_offsets");
        assertRefused(tensor("w", "F32", "[1]", "[0,4]"), 5, "need 4 bytes", "holds 5", "truncated or damaged");
        assertRefused(tensor("w", "F32", "[1]", "[4,8]"), 8, "tensor w", "there is a gap");
        assertRefused("{\"w\":{}}", 0, "tensor w", "dtype");
        assertRefused("{\"w\":5}", 0, "tensor w", "dtype");
    }

    private static String tensor(String name, String type, String shape, String offsets) {
        return "{\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}".formatted(name, type, shape, offsets);
    }

    @Test
    void overlappingAndDuplicateTensorsAreRefused() throws IOException {
        String one = "\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}";
        String two = "\"v\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}";
        assertRefused("{" + one + "," + two + "}", 12, "tensor v", "tensor w", "overlap");
        assertRefused("{" + one + "," + one + "}", 8, "Duplicate field 'w'");
    }

    @Test
    void tensorsThatDoNotFitTheModelAreRefusedByName() throws IOException {
        Path path = file(tensor("w", "F64", "[2]", "[0,16]"), 16);
        INDArray floats = Nd4j.zeros(DataType.FLOAT, 6);
        try (SafetensorsFile opened = Safetensors.open(path)) {
            assertThatIOException()
                    .isThrownBy(() -> opened.read(floats("v", 0, floats, 2)))
                    .withMessageContaining("tensor v is missing")
                    .withMessageContaining("[w]");
            assertThatIOException()
                    .isThrownBy(() -> opened.read(floats("w", 0, floats, 2, 3)))
                    .withMessageContaining("tensor w has shape [2], the model needs [2, 3]");
            assertThatIOException()
                    .isThrownBy(() -> opened.read(floats("w", 0, floats, 2)))
                    .withMessageContaining("tensor w has dtype F64")
                    .withMessageContaining("convert the file to F32");
        }
    }

    @Test
    void fileThatShrinksWhileOpenIsReported() throws IOException {
        Path path = file(tensor("w", "F32", "[2]", "[0,8]"), 8);
        try (SafetensorsFile opened = Safetensors.open(path)) {
            byte[] bytes = Files.readAllBytes(path);
            Files.write(path, java.util.Arrays.copyOf(bytes, bytes.length - 3));
            assertThatIOException()
                    .isThrownBy(() -> opened.read(floats("w", 0, Nd4j.zeros(DataType.FLOAT, 2), 2)))
                    .withMessageContaining("was cut while it was read");
        }
    }

    @Test
    void twoTensorsOfOneNameAreNotWritten() {
        FlatTensor tensor = FlatTensor.of("w", Nd4j.zeros(DataType.FLOAT, 2));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Safetensors.write(directory.resolve("x"), Map.of(), List.of(tensor, tensor)))
                .withMessage("two tensors are named w");
        assertThat(directory.resolve("x")).doesNotExist();
    }
}
