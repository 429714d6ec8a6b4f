package io.github.rlhf4j.transformer.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ND4J takes one backend per JVM, so most of these tests start their own. */
class ComputeBackendTest {

    private static final String CPU = "CPU " + BackendLoader.CPU_CLASS + " threads ";

    /** Stands in for the CUDA jar: a backend of its class name whose device is missing, as on a machine without GPU. */
    private static final String CUDA_WITHOUT_DEVICE = """
            package org.nd4j.linalg.jcublas;
            import org.nd4j.common.io.Resource;
            import org.nd4j.linalg.factory.*;
            public class JCublasBackend extends Nd4jBackend {
                public boolean canRun() { throw new UnsatisfiedLinkError("no jnicudart in java.library.path"); }
                public boolean isAvailable() { return canRun(); }
                public boolean allowsOrder() { return false; }
                public int getPriority() { return 100; }
                public Resource getConfigurationResource() { throw new IllegalStateException(); }
                public Class getNDArrayClass() { return Object.class; }
                public Environment getEnvironment() { throw new IllegalStateException(); }
                public String buildInfo() { return ""; }
                public void logBackendInit() {}
            }
            """;

    private static final String SERVICE = "META-INF/services/org.nd4j.linalg.factory.Nd4jBackend";

    @TempDir
    Path directory;

    private final String classpath = System.getProperty("java.class.path");

    @BeforeEach
    void needsTheCpuBackend() {
        Assumptions.assumeTrue(
                getClass().getResource("/org/nd4j/linalg/cpu/nativecpu/CpuBackend.class") != null,
                "skipped: this build has no CPU backend (-Pcuda)");
    }

    private List<String> run(String classpath, List<String> flags, String... steps) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-cp", classpath));
        command.addAll(flags);
        command.add(SelectInFreshJvm.class.getName());
        command.addAll(List.of(steps));
        Path output = directory.resolve("output.txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().put(ComputeBackend.VARIABLE, "cpu");
        Process process = builder.start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("the JVM ends").isTrue();
        String text = Files.readString(output);
        assertThat(process.exitValue()).as(text).isZero();
        return text.lines()
                .filter(line -> line.startsWith("SAID "))
                .map(line -> line.substring(5))
                .toList();
    }

    private String classpathWithBrokenCuda() throws IOException {
        Path source = directory.resolve("JCublasBackend.java");
        Files.writeString(source, CUDA_WITHOUT_DEVICE);
        Path classes = Files.createDirectories(directory.resolve("classes"));
        int result = ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-proc:none", "-cp", classpath, "-d", classes.toString(), source.toString());
        assertThat(result).isZero();
        Path list = classes.resolve(SERVICE);
        Files.createDirectories(list.getParent());
        Files.writeString(list, BackendLoader.CUDA_CLASS);
        return classes + File.pathSeparator + classpath;
    }

    private String classpathWithout(Predicate<String> jarName) {
        return Arrays.stream(classpath.split(File.pathSeparator))
                .filter(entry -> !jarName.test(new File(entry).getName()))
                .collect(Collectors.joining(File.pathSeparator));
    }

    @Test
    void selectionIsVerifiedIdempotentAndFinal() throws Exception {
        List<String> said =
                run(classpath, List.of("-Drlhf4j.threads=1"), "CPU", "CPU", "AUTO", "ensure", "CUDA", "touch");
        assertThat(said.subList(0, 4)).containsOnly(CPU + 1);
        assertThat(said.get(4))
                .startsWith(
                        "IllegalStateException: cannot select CUDA: ND4J has already loaded " + BackendLoader.CPU_CLASS)
                .contains("before the first tensor", "-Drlhf4j.backend=cuda");
        assertThat(said.get(5)).isEqualTo("sum 3.0");
    }

    @Test
    void backendThatSomeoneElseLoadedIsAdoptedOrRefused() throws Exception {
        List<String> said = run(classpath, List.of(), "touch", "CUDA", "CPU");
        assertThat(said.get(1)).contains("cannot select CUDA", "already loaded " + BackendLoader.CPU_CLASS);
        assertThat(said.get(2)).startsWith(CPU);
    }

    @Test
    void missingCudaJarIsNamedAndCpuCanStillBeSelected() throws Exception {
        List<String> said = run(classpath, List.of("-Drlhf4j.backend=cuda"), "ensure", "CPU", "touch");
        assertThat(said.get(0))
                .startsWith("IllegalStateException: cannot select CUDA")
                .contains("Add the Maven dependency org.nd4j:nd4j-cuda-11.6", "rlhf-bom");
        assertThat(said.get(1)).startsWith(CPU);
        assertThat(said.get(2)).isEqualTo("sum 3.0");
    }

    @Test
    void withBothJarsAndNoDeviceAutoTakesTheCpuAndCudaIsRefused() throws Exception {
        List<String> said = run(classpathWithBrokenCuda(), List.of(), "CUDA", "AUTO", "touch");
        assertThat(said.get(0)).contains("cannot select CUDA: no jnicudart in java.library.path", "select CPU or AUTO");
        assertThat(said.get(1)).startsWith(CPU);
        assertThat(said.get(2)).isEqualTo("sum 3.0");
    }

    @Test
    void withBothJarsCpuIsCpuThoughCudaHasThePriority() throws Exception {
        assertThat(run(classpathWithBrokenCuda(), List.of(), "CPU", "touch"))
                .satisfiesExactly(first -> assertThat(first).startsWith(CPU), second -> assertThat(second)
                        .isEqualTo("sum 3.0"));
    }

    @Test
    void missingCpuJarIsNamed() throws Exception {
        String bare =
                classpathWithout(jar -> jar.startsWith("nd4j-native-1") || jar.startsWith("nd4j-native-platform"));
        assertThat(run(bare, List.of(), "CPU", "AUTO")).allSatisfy(line -> assertThat(line)
                .startsWith("IllegalStateException")
                .contains("the Maven dependency org.nd4j:nd4j-native and the same with <classifier>"));
    }

    @Test
    void missingNativeLibraryIsNamed() throws Exception {
        String javaOnly = classpathWithout(
                jar -> jar.startsWith("nd4j-native-1.") && !jar.matches("nd4j-native-1[.0-9]*(-M[.0-9]+)?\\.jar"));
        assertThat(run(javaOnly, List.of(), "CPU").get(0))
                .contains("cannot initialise " + BackendLoader.CPU_CLASS, "native library", "<classifier>");
    }

    @Test
    void environmentVariableIsReadAndPropertiesThatWouldLeaveNothingLoadedAreRefused() throws Exception {
        assertThat(run(classpath, List.of(), "ensure").get(0)).startsWith(CPU);
        assertThat(run(classpath, List.of("-Dbackends=nothing"), "CPU").get(0))
                .contains("backends=nothing", "would leave nothing initialised", "remove it");
    }

    @Test
    void propertyWinsOverVariable() {
        assertThat(ComputeBackend.configured("cpu", "cuda")).isEqualTo(ComputeBackend.CPU);
        assertThat(ComputeBackend.configured(null, " Cuda ")).isEqualTo(ComputeBackend.CUDA);
        assertThat(ComputeBackend.configured(" ", null)).isEqualTo(ComputeBackend.AUTO);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ComputeBackend.configured("gpu", null))
                .withMessage("the system property rlhf4j.backend must be one of auto, cpu, cuda, got \"gpu\"");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ComputeBackend.configured(null, "tpu"))
                .withMessageContaining("environment variable RLHF4J_BACKEND");
    }

    @Test
    void deviceIsDescribedForPeople() {
        ComputeDevice device = ComputeBackend.ensureSelected();
        assertThat(device.threads()).isPositive();
        assertThat(device)
                .hasToString("CPU (%s, %d threads, %s)"
                        .formatted(
                                device.name(),
                                device.threads(),
                                device.memoryBytes() == 0
                                        ? "memory unlimited"
                                        : "%.1f GiB".formatted(device.memoryBytes() / 0x1p30)));
        assertThatIllegalStateException().isThrownBy(() -> ComputeBackend.select(ComputeBackend.CUDA));
    }
}
