package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.tokenizer.BytePairTokenizer;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Byte-level BPE of 1,000 tokens, trained and used on made-up words (Zipf-distributed, so that a cache of pieces sees what it
 * sees in prose): 100,000 words per call.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TokenizerBenchmark {

    private static final int WORDS = 100_000;
    private static final int VOCABULARY = 5_000;

    private String text = "";
    private BytePairTokenizer tokenizer =
            new BytePairTrainer(256).train(List.of("a")).tokenizer();
    private TokenSequence tokens = TokenSequence.empty();

    /** Makes the text up with a fixed seed and learns the merges. */
    @Setup
    public void train() {
        SplittableRandom random = new SplittableRandom(1);
        String[] words = new String[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            StringBuilder word = new StringBuilder();
            random.ints(2 + random.nextInt(8), 'a', 'z' + 1).forEach(letter -> word.append((char) letter));
            words[i] = word.toString();
        }
        StringBuilder made = new StringBuilder();
        for (int i = 0; i < WORDS; i++) {
            // The rank of a Zipf draw is close to V^u with u uniform.
            made.append(words[(int) Math.pow(VOCABULARY, random.nextDouble()) - 1])
                    .append(' ');
        }
        text = made.toString();
        tokenizer = new BytePairTrainer(1_000).train(List.of(text)).tokenizer();
        tokens = tokenizer.encode(text);
    }

    /** Text to ids. */
    @Benchmark
    public TokenSequence encode() {
        return tokenizer.encode(text);
    }

    /** Ids to text. */
    @Benchmark
    public void decode(Blackhole sink) {
        sink.consume(tokenizer.decode(tokens));
    }
}
