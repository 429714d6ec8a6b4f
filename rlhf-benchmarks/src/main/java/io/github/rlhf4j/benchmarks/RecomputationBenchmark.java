package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.MemoryEstimate;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.Recomputation;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;

/**
 * Prints the time of a training step and the memory of the process, with one choice of {@link Recomputation}: arguments
 * {@code none|blocks [width layers tokens steps]}. A process measures one choice, for memory once taken stays.
 */
public final class RecomputationBenchmark {

    private static final int CONTEXT = 256;
    private static final int WARM_UP = 2;

    private RecomputationBenchmark() {}

    /** Runs the benchmark. */
    public static void main(String[] arguments) {
        Recomputation choice = Recomputation.valueOf(arguments[0].toUpperCase(Locale.ROOT));
        int[] numbers = arguments.length == 1
                ? new int[] {512, 6, 4096, 5}
                : Arrays.stream(arguments).skip(1).mapToInt(Integer::parseInt).toArray();
        TransformerConfig config = TransformerConfig.gpt2(8192, CONTEXT, numbers[0], numbers[1], numbers[0] / 64);
        run(config, choice, numbers[2], numbers[3]);
    }

    private static void run(TransformerConfig config, Recomputation choice, int tokens, int steps) {
        CharacterTokenizer tokenizer = CharacterTokenizer.fromTexts(List.of("abc"));
        try (TransformerPolicy policy = TransformerPolicy.create(config, tokenizer, AdamWConfig.gpt3(), 1)) {
            policy.setRecomputation(choice);
            long before = Pointer.physicalBytes();
            SequenceBatch batch = batch(config, tokens / CONTEXT);
            double[][] weights = new double[batch.size()][CONTEXT - 1];
            Arrays.stream(weights).forEach(row -> Arrays.fill(row, 1.0 / tokens));
            double[] seconds = new double[steps];
            for (int step = -WARM_UP; step < steps; step++) {
                long start = System.nanoTime();
                policy.accumulate(batch, weights, null);
                policy.update(1e-4);
                seconds[Math.max(0, step)] = (System.nanoTime() - start) / 1e9;
            }
            Arrays.sort(seconds);
            print(config, choice, tokens, seconds[steps / 2], Pointer.physicalBytes() - before);
        }
    }

    private static void print(TransformerConfig config, Recomputation choice, int tokens, double seconds, long grown) {
        MemoryEstimate estimate = MemoryEstimate.training(config, tokens, choice);
        System.out.printf(
                Locale.ROOT,
                "%s: width %d, %d layers, %d tokens: %.2f s a step (median), %.0f MiB more than before the first, %.0f MiB"
                        + " resident; foretold with the weights: %s%n",
                choice,
                config.width(),
                config.layers(),
                tokens,
                seconds,
                grown / 0x1p20,
                Pointer.physicalBytes() / 0x1p20,
                estimate.describeOffHeap());
    }

    private static SequenceBatch batch(TransformerConfig config, int sequences) {
        SplittableRandom random = new SplittableRandom(1);
        List<ScoredSequence> texts = IntStream.range(0, sequences)
                .mapToObj(i -> ScoredSequence.ofText(TokenSequence.of(
                        random.ints(CONTEXT, 0, config.vocabularySize()).toArray())))
                .toList();
        return new SequenceBatch(texts);
    }
}
