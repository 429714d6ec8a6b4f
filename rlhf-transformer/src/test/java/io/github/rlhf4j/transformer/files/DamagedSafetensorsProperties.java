package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Whatever happens to a file, reading it ends in numbers or in an IOException that says why. */
class DamagedSafetensorsProperties {

    private static Path directory;
    private static byte[] sound;

    @BeforeContainer
    static void writeSoundFile() throws IOException {
        directory = Files.createTempDirectory("damaged-safetensors");
        Path file = directory.resolve("sound.safetensors");
        INDArray flat = Nd4j.arange(24).castTo(DataType.FLOAT);
        FlatTensor weight = new FlatTensor("h.0.attn.c_attn.weight", new long[] {2, 6}, flat, 0);
        FlatTensor bias = new FlatTensor("h.0.attn.c_attn.bias", new long[] {12}, flat, 12);
        Safetensors.write(file, Map.of("format", "pt"), List.of(weight, bias));
        sound = Files.readAllBytes(file);
    }

    @AfterContainer
    static void deleteFiles() throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    @Property(tries = 400)
    void truncatedFileIsRefused(@ForAll @IntRange(max = 100_000) int length) throws IOException {
        int kept = length % sound.length;
        assertThat(readEverything(Arrays.copyOf(sound, kept))).isNotNull().isNotBlank();
    }

    @Property(tries = 1000)
    void flippedBytesGiveNumbersOrAMessage(
            @ForAll @IntRange(max = 100_000) int first,
            @ForAll @IntRange(max = 100_000) int second,
            @ForAll byte mask,
            @ForAll byte otherMask)
            throws IOException {
        byte[] bytes = sound.clone();
        bytes[first % bytes.length] ^= mask;
        bytes[second % bytes.length] ^= otherMask;
        String message = readEverything(bytes);
        if (message != null) {
            assertThat(message).isNotBlank();
        }
    }

    @Property(tries = 300)
    void anyBytesAreAFileOrAMessage(@ForAll byte[] bytes) throws IOException {
        String message = readEverything(bytes);
        if (message != null) {
            assertThat(message).contains("damaged.safetensors");
        }
    }

    /** Reads all tensors; null when that went well, otherwise the message. Anything but an IOException escapes. */
    private static String readEverything(byte[] bytes) throws IOException {
        Path file = Files.write(directory.resolve("damaged.safetensors"), bytes);
        try (SafetensorsFile opened = Safetensors.open(file)) {
            for (TensorInfo tensor : opened.tensors().values()) {
                if (tensor.length() > 0) {
                    INDArray target = Nd4j.zeros(DataType.DOUBLE, tensor.length());
                    opened.read(tensor.name(), new FlatTensor(tensor.name(), tensor.shape(), target, 0));
                }
            }
            return null;
        } catch (IOException refused) {
            return refused.getMessage();
        }
    }
}
