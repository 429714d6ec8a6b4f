package io.github.rlhf4j.transformer.backend;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.TestModels;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;

/** What {@link ComputeThreadsTest} runs in a JVM of its own: trains a model large enough for several threads. */
public final class TrainInFreshJvm {

    private static final Path TASKS = Path.of("/proc/self/task");
    private static final int STEPS = 4;
    private static final double TICKS_PER_SECOND = 100;
    private static final long WARM_UP_NANOS = 3_000_000_000L;
    private static final long MEASURED_NANOS = 2_000_000_000L;

    /** Threads of the virtual machine that compile and collect, whoever computes; first letters of their names. */
    private static final List<String> OF_THE_JVM = List.of(
            "C1 ", "C2 ", "GC ", "G1 ", "VM ", "Sweeper", "Service", "Signal", "Monitor", "Common-", "Reference");

    private TrainInFreshJvm() {}

    /** Says device, hash of the parameters' bits and loss after some steps, and on Linux who used the processors. */
    public static void main(String[] arguments) throws IOException {
        say("device", ComputeBackend.ensureSelected());
        TransformerConfig config = TransformerConfig.gpt2(512, 96, 64, 2, 4);
        List<ScoredSequence> sequences = IntStream.range(0, 12)
                .mapToObj(i -> ScoredSequence.ofText(TestModels.sequence(i, 96 - 5 * i, 512)))
                .toList();
        try (TransformerPolicy policy =
                TransformerPolicy.create(config, TestModels.ids(512), AdamWConfig.gpt3(), 1, DataType.FLOAT)) {
            SequenceBatch batch = new SequenceBatch(sequences);
            double loss = 0;
            for (int i = 0; i < STEPS; i++) {
                loss = step(policy, batch);
            }
            say("kernelThreads", kernelThreads());
            say("loss", loss);
            say(
                    "bits",
                    Arrays.hashCode(policy.parameters().values().dup().data().asFloat()));
            if (Files.isDirectory(TASKS)) {
                watchThreads(policy, batch);
            }
        }
    }

    private static double step(TransformerPolicy policy, SequenceBatch batch) {
        double[][] weights = batch.sequences().stream()
                .map(sequence -> filled(sequence.scoredCount(), 1.0 / batch.scoredCount()))
                .toArray(double[][]::new);
        double[][] logProbs = policy.accumulate(batch, weights, null);
        policy.update(1e-3);
        return -Stream.of(logProbs).flatMapToDouble(Arrays::stream).average().orElseThrow();
    }

    private static double[] filled(int length, double value) {
        double[] filled = new double[length];
        Arrays.fill(filled, value);
        return filled;
    }

    private static void watchThreads(TransformerPolicy policy, SequenceBatch batch) throws IOException {
        train(policy, batch, WARM_UP_NANOS);
        Map<String, Double> before = secondsByThread();
        long begin = System.nanoTime();
        train(policy, batch, MEASURED_NANOS);
        double wall = (System.nanoTime() - begin) / 1e9;
        Map<String, Double> busy = new TreeMap<>();
        secondsByThread().forEach((thread, seconds) -> {
            double share = (seconds - before.getOrDefault(thread, 0.0)) / wall;
            if (share > 0) {
                busy.put(thread, share);
            }
        });
        say(
                "processors",
                busy.values().stream().mapToDouble(Double::doubleValue).sum());
        say("workers", busy.values().stream().filter(share -> share > 0.1).count());
        say("busy", busy);
    }

    /** Threads of our own kernels, the caller's included. */
    private static long kernelThreads() {
        return 1
                + Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("rlhf4j-kernels-"))
                        .count();
    }

    private static void train(TransformerPolicy policy, SequenceBatch batch, long nanos) {
        long end = System.nanoTime() + nanos;
        while (System.nanoTime() < end) {
            step(policy, batch);
        }
    }

    /** Processor time of each thread but the virtual machine's own; fields 14 and 15 of {@code stat} (proc(5)). */
    private static Map<String, Double> secondsByThread() throws IOException {
        Map<String, Double> seconds = new HashMap<>();
        try (Stream<Path> tasks = Files.list(TASKS)) {
            for (Path task : tasks.toList()) {
                String stat = Files.readString(task.resolve("stat"));
                String name = stat.substring(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
                String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
                if (OF_THE_JVM.stream().noneMatch(name::startsWith)) {
                    long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
                    seconds.put(task.getFileName() + " " + name, ticks / TICKS_PER_SECOND);
                }
            }
        }
        return seconds;
    }

    private static void say(String name, Object value) {
        System.out.println("SAID " + name + " " + value);
    }
}
