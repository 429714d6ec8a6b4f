package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A training step in the steady state takes no memory for tensors and next to nothing of Java's heap, counted. In a virtual
 * machine of its own: in one that ran other tests the compiler leaves some loops on the Vector API with boxed vectors, 1 to 3
 * MB a step, which is not what is counted here.
 */
class SteadyStateTest {

    @TempDir
    Path directory;

    @Test
    void aStepTakesNothing() throws Exception {
        Assumptions.assumeTrue(
                getClass().getResource("/org/nd4j/linalg/cpu/nativecpu/CpuBackend.class") != null,
                "skipped: this build has no CPU backend (-Pcuda)");
        Path output = directory.resolve("output.txt");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SteadyStateInFreshJvm.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).as("the JVM ends").isTrue();
        assertThat(process.exitValue()).as(Files.readString(output)).isZero();
    }
}
