package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A side that is a process of its own. */
final class SideProcess implements Side {

    private static final int LOG_LINES = 12;
    private static final int PATIENCE_SECONDS = 10;

    private final String name;
    private final Process process;
    private final Path log;
    private final Dialogue dialogue;
    private final Thread killer;
    private final double check;

    private SideProcess(String name, Process process, Path log, Job job) throws IOException {
        this.name = name;
        this.process = process;
        this.log = log;
        this.dialogue =
                new Dialogue(process.outputWriter(StandardCharsets.UTF_8), process.inputReader(StandardCharsets.UTF_8));
        this.killer = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(killer);
        this.check = explained(() -> dialogue.open(job));
    }

    /**
     * Starts a process and gives it its job.
     *
     * @param name to call it in messages
     * @param log takes the process's standard error
     */
    static SideProcess start(String name, ProcessBuilder command, Path log, Job job) throws IOException {
        Process process = command.redirectError(log.toFile()).start();
        try {
            return new SideProcess(name, process, log, job);
        } catch (IOException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    @Override
    public double check() {
        return check;
    }

    @Override
    public double run(int steps) throws IOException {
        return explained(() -> dialogue.run(steps));
    }

    @Override
    public long peakBytes() throws IOException {
        Path status = Path.of("/proc", String.valueOf(process.pid()), "status");
        try {
            return ProcessStatus.peakBytes(Files.readAllLines(status));
        } catch (NoSuchFileException e) {
            throw new IOException("a process's peak memory is read from " + status + ", which only Linux has", e);
        }
    }

    @FunctionalInterface
    private interface Question {
        double ask() throws IOException;
    }

    private double explained(Question question) throws IOException {
        try {
            return question.ask();
        } catch (IOException e) {
            throw new IOException(name + " " + e.getMessage() + "; the end of its log:\n" + endOfLog(), e);
        }
    }

    private String endOfLog() throws IOException {
        List<String> lines = List.of(Files.readString(log).split("\n"));
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }

    @Override
    public void close() {
        stopKilling();
        try {
            process.outputWriter(StandardCharsets.UTF_8).close();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private void stopKilling() {
        try {
            Runtime.getRuntime().removeShutdownHook(killer);
        } catch (IllegalStateException e) {
            process.destroyForcibly(); // this program is being stopped
        }
    }
}
