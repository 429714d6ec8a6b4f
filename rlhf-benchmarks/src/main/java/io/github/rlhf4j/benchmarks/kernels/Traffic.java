package io.github.rlhf4j.benchmarks.kernels;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** Useful work beside the operations, which JMH turns into rates: compare them with those of {@link LimitBenchmark}. */
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Traffic {

    /** Millions of floating-point operations of matrix products, so MFLOP/s. */
    public long megaflops;

    /** Millions of bytes of arguments and results, each read or written once, so MB/s. */
    public long megabytes;

    void product(long rows, long inner, long columns) {
        megaflops += 2 * rows * inner * columns / 1_000_000;
    }

    void floats(long count) {
        megabytes += 4 * count / 1_000_000;
    }
}
