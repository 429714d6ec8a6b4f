package io.github.rlhf4j.benchmarks;

import io.github.rlhf4j.ppo.math.GeneralizedAdvantages;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Advantages of a rollout of InstructGPT's size, 512 responses: shows that the objective mathematics is no bottleneck. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class GeneralizedAdvantagesBenchmark {

    private static final int RESPONSES = 512;

    /** Longest response, tokens; lengths are uniform from 1. */
    @Param({"48", "1024"})
    public int longest;

    private double[][] rewards = {};
    private double[][] values = {};

    /** Draws lengths, rewards and values with a fixed seed. */
    @Setup
    public void draw() {
        SplittableRandom random = new SplittableRandom(1);
        rewards = new double[RESPONSES][];
        values = new double[RESPONSES][];
        for (int i = 0; i < RESPONSES; i++) {
            int length = 1 + random.nextInt(longest);
            rewards[i] = random.doubles(length, -1, 1).toArray();
            values[i] = random.doubles(length, -1, 1).toArray();
        }
    }

    /** One rollout's advantages and returns. */
    @Benchmark
    public GeneralizedAdvantages estimate() {
        return GeneralizedAdvantages.estimate(rewards, values, 1.0, 0.95);
    }
}
