package io.github.rlhf4j.core.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

class TrainerStateBitsTest {

    private static Path directory;

    @BeforeContainer
    static void makeDirectory() throws IOException {
        directory = Files.createTempDirectory("trainer-state");
    }

    @AfterContainer
    static void deleteDirectory() throws IOException {
        DurableFiles.deleteTree(directory);
    }

    /** Doubles come back to the same bits, whatever they are. */
    @Property(tries = 300)
    void doublesComeBackToTheSameBits(@ForAll long bits) throws IOException {
        double value = Double.longBitsToDouble(bits);
        TrainerState.write(directory, "s", 0, Map.of(), Map.of("x", value, "minus zero", -0.0));
        TrainerState state = TrainerState.read(directory);
        assertThat(Double.doubleToLongBits(state.number("x"))).isEqualTo(Double.doubleToLongBits(value));
        assertThat(Double.doubleToLongBits(state.number("minus zero"))).isEqualTo(Double.doubleToLongBits(-0.0));
    }
}
