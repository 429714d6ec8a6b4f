package io.github.rlhf4j.benchmarks.kernels;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.generation.TokenSampler;
import java.util.Set;
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

/** A draw from a row of GPT-2's 50,257 logits on one thread, as each sequence of a decoding step needs one. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SamplerBenchmark {

    private static final int VOCABULARY = 50_257;

    /** With this deviation a row has 3.6 nats less than the uniform one, about 7 in all. */
    private static final double DEVIATION = 2.7;

    private static final RandomKey KEY = RandomKey.of(1);

    private final float[] logits = new float[VOCABULARY];
    private final TokenSampler exact = new TokenSampler(Sampling.exact(1, 1, Set.of()));
    private final TokenSampler topK =
            new TokenSampler(Sampling.exact(1, 1, Set.of()).withTopK(50));
    private final TokenSampler topP =
            new TokenSampler(Sampling.exact(1, 1, Set.of()).withTopP(0.9));
    private final TokenSampler greedy = new TokenSampler(Sampling.greedy(1, Set.of()));
    private long draws;

    /** Normal logits. */
    @Setup
    public void fill() {
        for (int v = 0; v < VOCABULARY; v++) {
            logits[v] = (float) (DEVIATION * KEY.child(v).gaussian());
        }
    }

    private TokenSampler.Draw draw(TokenSampler sampler) {
        return sampler.draw(logits, KEY.child(draws++));
    }

    /** From the whole distribution, as PPO's rollouts. */
    @Benchmark
    public TokenSampler.Draw exact() {
        return draw(exact);
    }

    /** From the 50 most likely. */
    @Benchmark
    public TokenSampler.Draw topK50() {
        return draw(topK);
    }

    /** From the most likely nine tenths of the mass. */
    @Benchmark
    public TokenSampler.Draw topP90() {
        return draw(topP);
    }

    /** The most likely. */
    @Benchmark
    public TokenSampler.Draw greedy() {
        return draw(greedy);
    }
}
