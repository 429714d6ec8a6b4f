package io.github.rlhf4j.benchmarks.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line; nothing here starts a process. */
class PeerBenchmarkTest {

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    Path directory = Path.of("");

    private int run(Map<String, String> environment, String... arguments) {
        return PeerBenchmark.execute(environment, new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }

    @Test
    void withoutPeersItSaysHowToInstallThemAndSucceeds() {
        assertThat(run(Map.of(), "train-small")).isZero();
        assertThat(out.toString())
                .contains(
                        "skipped", "RLHF4J_PEERS", "pip install", "torch==", "transformers==", "trl==", "tokenizers==");
    }

    @Test
    void aVariableThatNamesNoEnvironmentIsNoPeer() {
        assertThat(run(Map.of("RLHF4J_PEERS", directory.toString()))).isZero();
        assertThat(out.toString()).contains("skipped");
    }

    @Test
    void onlyTheCurvesNeedNoPeer() {
        assertThat(Rows.all().stream().filter(row -> !row.needsPeer()).map(Row::name))
                .containsExactly("scaling");
    }

    @Test
    void theListNamesAllRows() {
        assertThat(run(Map.of(), "--list")).isZero();
        assertThat(out.toString().lines().map(line -> line.split(" ")[0]))
                .containsExactly(
                        "gemm",
                        "train-small",
                        "train-gpt2",
                        "ragged",
                        "generate-1",
                        "generate-1-int8",
                        "generate-32",
                        "ppo",
                        "sft",
                        "dpo",
                        "bpe-train",
                        "bpe-encode",
                        "memory",
                        "scaling");
    }

    @Test
    void wrongArgumentsAreRefused() {
        assertThat(run(Map.of(), "training")).isEqualTo(2);
        assertThat(err.toString()).contains("training", "train-small");
        assertThat(run(Map.of(), "--threads", "0")).isEqualTo(2);
        assertThat(err.toString()).contains("at least 1");
    }

    @Test
    void rowsComeInTheOrderOfTheTable() {
        assertThat(Rows.named(List.of("sft", "gemm"))).extracting(Row::name).containsExactly("gemm", "sft");
    }

    @Test
    void anEnvironmentIsKnownByItsInterpreter() throws IOException {
        Path python = Files.createDirectories(directory.resolve("bin")).resolve("python");
        Files.createFile(python).toFile().setExecutable(true);
        Peers peers = Peers.in(Map.of(Peers.VARIABLE, directory.toString()), Path.of("scripts"))
                .orElseThrow();
        ProcessBuilder command = peers.command("worker.py", 3);
        assertThat(command.command())
                .containsExactly(
                        python.toString(), Path.of("scripts", "worker.py").toString());
        assertThat(command.environment()).containsEntry("OMP_NUM_THREADS", "3").containsEntry("RAYON_NUM_THREADS", "3");
    }

    @Test
    void peakMemoryIsTheHighWaterMark() throws IOException {
        assertThat(ProcessStatus.peakBytes(List.of("Name:\tjava", "VmHWM:\t  2048 kB", "VmRSS:\t 1024 kB")))
                .isEqualTo(2048 * 1024);
        assertThatThrownBy(() -> ProcessStatus.peakBytes(List.of("Name:\tjava")))
                .hasMessageContaining("VmHWM");
    }

    @Test
    void theMachineIsTheFirstLineThatNamesIt() {
        List<String> lines = List.of("processor\t: 0", "model name\t: AMD EPYC", "model name\t: other");
        assertThat(Machine.value(lines, "model name", "?")).isEqualTo("AMD EPYC");
        assertThat(Machine.value(lines, "MemTotal", "?")).isEqualTo("?");
    }
}
