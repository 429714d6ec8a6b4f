package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import io.github.rlhf4j.benchmarks.work.Worker;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Sides as processes of their own: ours a virtual machine with the options of this one, the peer Python.
 *
 * @param peers where the peer is installed, if it is
 * @param logs directory for what the sides print
 */
record Processes(Optional<Peers> peers, Path logs) implements Sides {

    @Override
    public Side ours(Job job) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-D" + ComputeBackend.THREADS_PROPERTY + "=" + job.threads());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Worker.class.getName()));
        return SideProcess.start(
                "our side", new ProcessBuilder(command), logs.resolve("ours-" + job.work() + ".log"), job);
    }

    @Override
    public Side peer(Job job) throws IOException {
        Peers installed = peers.orElseThrow(() -> new IOException(Peers.howToInstall()));
        Path log = logs.resolve("peer-" + job.work() + job.variant() + ".log");
        return SideProcess.start("the peer", installed.command("worker.py", job.threads()), log, job);
    }
}
