package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Memory and time of training adapters on a model of any file, its frozen weights in float or int8: 5 steps of random tokens. On
 * Linux it prints the most that the process had resident.
 */
public final class LoraMemory {

    private static final int STEPS = 5;

    private LoraMemory() {}

    /**
     * Runs it.
     *
     * @param args the model, FLOAT32 or INT8, sequences of a step, tokens of a sequence
     */
    public static void main(String[] args) throws IOException {
        int sequences = Integer.parseInt(args[2]);
        int length = Integer.parseInt(args[3]);
        AdamWConfig optimizer = AdamWConfig.gpt3();
        long start = System.nanoTime();
        try (TransformerPolicy base =
                        TransformerPolicy.load(Path.of(args[0]), optimizer, WeightFormat.valueOf(args[1]));
                TransformerPolicy policy =
                        base.withLora(LoraConfig.defaults().withRank(16).withAlpha(32), optimizer, 1)) {
            System.out.printf(
                    Locale.ROOT,
                    "%s: %d MB of weights, loaded in %.2f s, resident at most %s%n",
                    args[1],
                    base.parameters().bytes() / 1_000_000,
                    (System.nanoTime() - start) / 1e9,
                    mostResident());
            policy.setRecomputation(Recomputation.BLOCKS);
            SequenceBatch batch = batch(sequences, length, base.config().vocabularySize());
            double[][] weights = new double[sequences][length - 1];
            for (double[] row : weights) {
                Arrays.fill(row, 1.0 / batch.scoredCount());
            }
            for (int step = 0; step < STEPS; step++) {
                long begin = System.nanoTime();
                policy.accumulate(batch, weights, null);
                policy.update(1e-4);
                System.out.printf(Locale.ROOT, "step %d: %.2f s%n", step, (System.nanoTime() - begin) / 1e9);
            }
            System.out.println("resident at most " + mostResident());
        }
    }

    private static SequenceBatch batch(int sequences, int length, int vocabulary) {
        List<ScoredSequence> rows = IntStream.range(0, sequences)
                .mapToObj(i -> {
                    RandomKey key = RandomKey.of(i);
                    int[] tokens = IntStream.range(0, length)
                            .map(t -> key.child(t).below(vocabulary))
                            .toArray();
                    return ScoredSequence.ofText(TokenSequence.of(tokens));
                })
                .toList();
        return new SequenceBatch(rows);
    }

    private static String mostResident() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return "unknown";
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024 + " MiB")
                .findFirst()
                .orElse("unknown");
    }
}
