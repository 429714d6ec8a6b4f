package io.github.rlhf4j.transformer.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.transformer.files.llama2c.Llama2cFile;
import io.github.rlhf4j.transformer.files.llama2c.Llama2cHeader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.BeforeContainer;

/** A damaged model of llama2.c is numbers or a message. */
class DamagedLlama2cProperties {

    private static final int HEADER = 28;
    private static Damage damage;

    @BeforeContainer
    static void writeSoundFile() throws IOException {
        Path file = Files.createTempDirectory("damaged-llama2c").resolve("damaged.bin");
        Llama2cHeader header = new Llama2cHeader(8, 12, 2, 4, 2, 11, 6, true);
        Map<String, Numbers> numbers = new HashMap<>();
        header.tensors().keySet().forEach(name -> numbers.put(name, (first, into, at, length) -> {}));
        Llama2cFile.write(file, header, numbers);
        damage = new Damage(file, () -> read(file));
    }

    private static void read(Path path) throws IOException {
        try (Llama2cFile file = Llama2cFile.open(path)) {
            Damage.readTensors(file);
        }
        Damage.readModel(Llama2cModel.open(path), Files.size(path));
    }

    @Example
    void everyCutIsRefused() throws IOException {
        for (int length = 0; length < damage.sound().length; length += length < 100 ? 1 : 37) {
            assertThat(damage.cut(length)).as("cut at %d", length).isNotNull();
        }
    }

    @Example
    void oddNumbersAnywhereInTheHeadAreAnsweredOrRefused() throws IOException {
        damage.spliceEverywhere(HEADER);
    }

    @Property(tries = 1500)
    void anyHeaderIsAnsweredOrRefused(@ForAll int[] fields, @ForAll @IntRange(max = 40) int small, @ForAll long which)
            throws IOException {
        byte[] bytes = damage.sound();
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < Math.min(7, fields.length); i++) {
            if ((which >> i & 1) == 1) {
                buffer.putInt(4 * i, (which >> 8 + i & 1) == 1 ? fields[i] : small);
            }
        }
        damage.read(bytes, "header " + java.util.Arrays.toString(fields));
    }

    /** 28 bytes that announce 10,000 layers: 90,000 tensors are not named before the size is compared. */
    @Example
    void manyLayersWithoutDataCostNothing() throws IOException {
        byte[] bytes = damage.sound();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 10_000);
        assertThat(damage.read(bytes, "10,000 layers")).contains("layers=10000", "bytes, the file has");
    }
}
