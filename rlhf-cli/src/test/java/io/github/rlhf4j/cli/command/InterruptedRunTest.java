package io.github.rlhf4j.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, as a terminal sends it, to a program of its own. */
@EnabledOnOs({OS.LINUX, OS.MAC})
class InterruptedRunTest {

    @TempDir
    Path root;

    @Test
    void controlCStopsAfterTheStepSavedAndTheRunGoesOnFromThere() throws Exception {
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

        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(root.resolve("first.txt"))
                .content()
                .contains("stopped in pretraining after step", "go on with: rlhf run --resume --out " + run);
        int steps = Files.readAllLines(metrics).size();

        Process resumed = start(run, "second.txt", "--resume");
        while (resumed.isAlive() && Files.readAllLines(metrics).size() <= steps) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        interrupt(resumed);
        assertThat(resumed.waitFor()).isEqualTo(130);
        assertThat(root.resolve("second.txt")).content().contains("pretraining goes on after step " + steps + " of");
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
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(root.resolve(log).toFile())
                .start();
    }

    private static void interrupt(Process process) throws Exception {
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid()))
                .start()
                .waitFor();
    }
}
