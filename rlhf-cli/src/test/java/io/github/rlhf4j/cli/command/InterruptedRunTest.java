package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, as a terminal sends it, to a program of its own. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class InterruptedRunTest {

    @TempDir
    Path root;

    private static final int SIGINT = 2;

    private final List<Process> started = new ArrayList<>();

    /** Also after a failure: they would run for hours. */
    @AfterEach
    void leavesNoProcessBehind() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly().waitFor();
        }
    }

    /** A shell without job control starts background commands so, and their children inherit it. */
    private static boolean ignoresInterrupts() throws Exception {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                && Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("SigIgn:"))
                        .mapToLong(
                                line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                        .anyMatch(ignored -> (ignored & 1 << SIGINT - 1) != 0);
    }

    @Test
    void controlCStopsAfterTheStepSavedAndTheRunGoesOnFromThere() throws Exception {
        Assumptions.assumeFalse(ignoresInterrupts(), "skipped: this process was started with SIGINT ignored");
        Path run = root.resolve("run");
        Process process = start(run, "first.txt", "--set", "checkpointEvery=1000000");
        Path metrics = run.resolve("metrics.jsonl");
        while (process.isAlive() && !(Files.exists(metrics) && Files.size(metrics) > 0)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(process.isAlive())
                .as(Files.readString(root.resolve("first.txt")))
                .isTrue();

        interrupt(process);

        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("stops").isTrue();
        assertThat(process.exitValue()).isEqualTo(130);
        assertThat(root.resolve("first.txt"))
                .content()
                .contains("stopped in pretraining after step", "go on with: rlhf run --resume --out " + run);
        int steps = Files.readAllLines(metrics).size();

        Process resumed = start(run, "second.txt", "--resume");
        while (resumed.isAlive() && Files.readAllLines(metrics).size() <= steps) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        interrupt(resumed);
        assertThat(resumed.waitFor(60, TimeUnit.SECONDS)).as("stops again").isTrue();
        assertThat(resumed.exitValue()).isEqualTo(130);
        assertThat(root.resolve("second.txt")).content().contains("pretraining goes on after step " + steps + " of");
    }

    @Test
    void aDirectoryIsOneRunsUntilItEndsEvenWhenItIsKilled() throws Exception {
        Path run = root.resolve("run");
        Process process = start(run, "first.txt", "--set", "checkpointEvery=1");
        Path metrics = run.resolve("metrics.jsonl");
        while (process.isAlive() && !(Files.exists(metrics) && Files.size(metrics) > 0)) {
            TimeUnit.MILLISECONDS.sleep(20);
        }

        Process second = start(run, "second.txt", "--resume");
        boolean ended = second.waitFor(60, TimeUnit.SECONDS);
        assertThat(ended).as("a second run goes on beside the first").isTrue();
        assertThat(second.exitValue()).isEqualTo(2);
        assertThat(root.resolve("second.txt")).content().contains("a run is going on in " + run, "--out");
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        assertThat(Rlhf.execute(nowhere, nowhere, "report", "--out", run.toString()))
                .isZero();
        assertThat(process.isAlive())
                .as(Files.readString(root.resolve("first.txt")))
                .isTrue();

        process.destroyForcibly().waitFor();
        Process resumed = start(run, "third.txt", "--resume");
        Path log = root.resolve("third.txt");
        while (resumed.isAlive() && !Files.readString(log).contains("pretraining goes on after step")) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(resumed.isAlive()).as(Files.readString(log)).isTrue();
    }

    private Process start(Path run, String log, String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1g",
                "-Drlhf.terminal=false",
                "-cp",
                System.getProperty("java.class.path"),
                Rlhf.class.getName(),
                "run",
                "--out",
                run.toString()));
        if (more[0].equals("--set")) {
            command.addAll(
                    List.of("--set", "model.vocabulary=300", "--set", "model.width=16", "--set", "model.layers=1"));
            command.addAll(List.of("--set", "pretraining.documents=500", "--set", "pretraining.steps=1000000"));
        }
        command.addAll(List.of(more));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(root.resolve(log).toFile())
                .start();
        started.add(process);
        return process;
    }

    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid()))
                .start()
                .waitFor();
    }
}
