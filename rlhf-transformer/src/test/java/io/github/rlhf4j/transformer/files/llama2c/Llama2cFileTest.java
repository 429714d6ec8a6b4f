package io.github.rlhf4j.transformer.files.llama2c;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.test.SharedData;
import io.github.rlhf4j.transformer.files.Numbers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Llama2cFileTest {

    @TempDir
    Path directory;

    @Test
    void aRealModelIsReadAndWrittenBackToTheSameBytes() throws IOException {
        Path real = SharedData.file("data/stories260K/stories260K.bin");
        Path copy = directory.resolve("copy.bin");
        try (Llama2cFile file = Llama2cFile.open(real)) {
            assertThat(file.header()).isEqualTo(new Llama2cHeader(64, 172, 5, 8, 4, 512, 512, true));
            assertThat(file.require("layers.4.attention.wk.weight").shape()).containsExactly(32, 64);
            Map<String, Numbers> numbers = new LinkedHashMap<>();
            file.tensors().keySet().forEach(name -> numbers.put(name, file.numbers(name)));
            Llama2cFile.write(copy, file.header(), numbers);
        }
        assertThat(Files.mismatch(real, copy)).isEqualTo(-1);
    }
}
