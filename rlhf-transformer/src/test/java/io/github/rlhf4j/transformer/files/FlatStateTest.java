package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class FlatStateTest {

    @TempDir
    Path directory;

    private static INDArray numbers(DataType type, double scale) {
        return Nd4j.createFromArray(scale, scale / 3, -scale * 1e-30, 0.1).castTo(type);
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT", "DOUBLE"})
    void optimiserStateComesBackToTheSameBits(DataType type) throws IOException {
        Path file = directory.resolve("state.safetensors");
        INDArray m = numbers(type, 1.7);
        INDArray v = numbers(type, 1e-9);
        FlatState.write(file, Map.of("optimizer.m", m, "optimizer.v", v), Map.of("optimizer.step", Long.MAX_VALUE));

        INDArray m2 = Nd4j.zeros(type, 4);
        INDArray v2 = Nd4j.zeros(type, 4);
        Map<String, Long> counters = FlatState.read(file, Map.of("optimizer.m", m2, "optimizer.v", v2));

        assertThat(counters).containsExactly(Map.entry("optimizer.step", Long.MAX_VALUE));
        assertThat(m2.toDoubleVector()).isEqualTo(m.toDoubleVector());
        assertThat(v2.toDoubleVector()).isEqualTo(v.toDoubleVector());
    }

    @Test
    void stateOfAnotherModelChangesNothing() throws IOException {
        Path file = directory.resolve("state.safetensors");
        FlatState.write(
                file,
                Map.of("optimizer.m", numbers(DataType.FLOAT, 1), "values", numbers(DataType.FLOAT, 2)),
                Map.of());
        INDArray m = Nd4j.zeros(DataType.FLOAT, 4);

        assertThatIOException()
                .isThrownBy(
                        () -> FlatState.read(file, Map.of("optimizer.m", m, "values", Nd4j.zeros(DataType.FLOAT, 5))))
                .withMessageContaining("tensor values has shape [4], the model needs [5]");
        assertThatIOException()
                .isThrownBy(() -> FlatState.read(file, Map.of("optimizer.m", m)))
                .withMessageContaining("holds the buffers")
                .withMessageContaining("expected were [optimizer.m]");
        assertThatIOException()
                .isThrownBy(
                        () -> FlatState.read(file, Map.of("optimizer.m", m, "values", Nd4j.zeros(DataType.DOUBLE, 4))))
                .withMessageContaining("saved as F32 and cannot continue as F64");
        assertThat(m.toDoubleVector()).containsOnly(0.0);
    }
}
