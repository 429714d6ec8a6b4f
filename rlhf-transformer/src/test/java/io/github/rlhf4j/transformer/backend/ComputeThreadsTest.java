package io.github.rlhf4j.transformer.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The number of threads is read once, so these tests start a JVM for each. */
class ComputeThreadsTest {

    @TempDir
    Path directory;

    /** What {@link TrainInFreshJvm} says, by name. */
    private Map<String, String> train(List<String> flags, Map<String, String> environment) throws Exception {
        Assumptions.assumeTrue(
                getClass().getResource("/org/nd4j/linalg/cpu/nativecpu/CpuBackend.class") != null,
                "skipped: this build has no CPU backend (-Pcuda)");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(flags);
        command.add(TrainInFreshJvm.class.getName());
        Path output = directory.resolve("output.txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().remove("OMP_NUM_THREADS");
        builder.environment().putAll(environment);
        Process process = builder.start();
        assertThat(process.waitFor(300, TimeUnit.SECONDS)).as("the JVM ends").isTrue();
        return said(output, process.exitValue());
    }

    private static Map<String, String> said(Path output, int exitCode) throws IOException {
        String text = Files.readString(output);
        assertThat(exitCode).as(text).isZero();
        Map<String, String> said = new LinkedHashMap<>();
        text.lines().filter(line -> line.startsWith("SAID ")).forEach(line -> {
            String[] words = line.split(" ", 3);
            said.put(words[1], words[2]);
        });
        return said;
    }

    private Map<String, String> train(int threads, String... flags) throws Exception {
        List<String> all = new ArrayList<>(List.of(flags));
        all.add("-D" + ComputeThreads.PROPERTY + "=" + threads);
        return train(all, Map.of());
    }

    /** The fused kernels cut work by its shape, so that even another number of threads gives the same bits. */
    @Test
    void theNumberOfThreadsDoesNotChangeABit() throws Exception {
        String expected = train(1).get("bits");
        for (int threads : new int[] {1, 2, 2, 3, 3}) {
            assertThat(train(threads).get("bits")).as(threads + " threads").isEqualTo(expected);
        }
    }

    @Test
    void withNd4jsKernelsEqualNumbersGiveEqualBitsAndOthersDifferByRounding() throws Exception {
        double expected = Double.parseDouble(train(1, "-Drlhf4j.kernels=nd4j").get("loss"));
        for (int threads : new int[] {2, 3}) {
            Map<String, String> first = train(threads, "-Drlhf4j.kernels=nd4j");
            assertThat(train(threads, "-Drlhf4j.kernels=nd4j").get("bits")).isEqualTo(first.get("bits"));
            assertThat(Double.parseDouble(first.get("loss"))).isCloseTo(expected, within(1e-4 * expected));
        }
    }

    /** Per second of training, the threads that are not the virtual machine's own spend no more seconds than allowed. */
    @Test
    @Tag("slow") // counts seconds of processors: for a machine that does nothing else
    void noMoreProcessorsAreUsedThanAllowed() throws Exception {
        for (int threads : new int[] {1, 2, 3}) {
            Map<String, String> said = train(threads);
            Assumptions.assumeTrue(said.containsKey("processors"), "skipped: only Linux tells of a process's threads");
            assertThat(Double.parseDouble(said.get("processors")))
                    .as("processors in use with %d threads: %s", threads, said.get("busy"))
                    .isLessThan(threads + 0.15);
            assertThat(Integer.parseInt(said.get("workers")))
                    .as(said.get("busy"))
                    .isLessThanOrEqualTo(threads);
        }
    }

    @Test
    void theVariableCountsWhereThereIsNoProperty() throws Exception {
        Map<String, String> said = train(List.of(), Map.of(ComputeThreads.VARIABLE, "3"));
        assertThat(said.get("device")).contains("3 threads");
        assertThat(said.get("kernelThreads")).isEqualTo("3");
        assertThat(train(List.of(), Map.of(ComputeThreads.VARIABLE, "1")).get("device"))
                .contains("1 threads");
        assertThat(ComputeThreads.asked("3", "2")).hasValue(3);
        assertThat(ComputeThreads.asked(" ", " 2 ")).hasValue(2);
        assertThat(ComputeThreads.asked(null, null)).isEmpty();
        assertThat(ComputeThreads.count()).isPositive();
    }

    @Test
    void whatIsNoNumberOfThreadsIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ComputeThreads.asked("0", null))
                .withMessage("the system property rlhf4j.threads must be a whole number from 1 to 256, got \"0\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ComputeThreads.asked(null, "many"))
                .withMessage(
                        "the environment variable RLHF4J_THREADS must be a whole number from 1 to 256, got \"many\"");
    }
}
