package io.github.rlhf4j.transformer.files.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.rlhf4j.transformer.files.TensorType;
import io.github.rlhf4j.transformer.files.WritableTensor;
import io.github.rlhf4j.transformer.files.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers at the edges of a type; those within are compared with the gguf package in {@code GgufFileTest}. */
class TensorEncodingTest {

    @TempDir
    Path directory;

    /** A block of 32 whose fourth element is this, the others 1. */
    private float[] written(TensorType type, float fourth) throws IOException {
        Path path = directory.resolve("w.gguf");
        WritableTensor tensor = new WritableTensor("w", type, new long[] {32}, (first, into, at, length) -> {
            for (int i = 0; i < length; i++) {
                into[at + i] = first + i == 3 ? fourth : Math.min(1, Math.abs(fourth));
            }
        });
        GgufFile.write(path, Map.of(), List.of(tensor));
        try (GgufFile file = GgufFile.open(path)) {
            float[] read = new float[32];
            file.read("w", 0, read, 0, 32);
            return read;
        }
    }

    @ParameterizedTest
    @CsvSource({"Q8_0,NaN", "Q8_0,Infinity", "Q8_0,1e7", "F16,65520", "F16,-1e30"})
    void whatTheTypeCannotHoldIsRefusedByTensorAndElement(TensorType type, float value) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> written(type, value))
                .withMessageStartingWith("tensor w: element ")
                .withMessageContainingAll("to be written as " + type, "write this tensor as F32");
    }

    /** 127 over the largest of the block is infinite here; its scale is 0 as a half. */
    @Test
    void aBlockOfTheSmallestNumbersIsZero() throws IOException {
        assertThat(written(TensorType.Q8_0, 1e-42f)).containsOnly(0f);
    }

    @Test
    void theLargestHalfIsWritten() throws IOException {
        assertThat(written(TensorType.F16, 65519f)[3]).isEqualTo(65504f);
    }
}
