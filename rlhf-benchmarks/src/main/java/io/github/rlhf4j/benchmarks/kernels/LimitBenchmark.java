package io.github.rlhf4j.benchmarks.kernels;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.kernels.Kernels;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What the machine gives at most, to hold the rates of {@link KernelBenchmark} against. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class LimitBenchmark {

    private static final int SIZE = 2048;
    private static final int FLOATS = 1 << 25;
    private static final int PARTS = 16;

    private final Kernels kernels = kernels();
    private final INDArray left = Nd4j.create(DataType.FLOAT, SIZE, SIZE).assign(0.5);
    private final INDArray right = Nd4j.create(DataType.FLOAT, SIZE, SIZE).assign(0.25);
    private final INDArray product = Nd4j.create(DataType.FLOAT, SIZE, SIZE);
    private final float[] from = new float[FLOATS];
    private final float[] to = new float[FLOATS];

    private static Kernels kernels() {
        ComputeBackend.ensureSelected();
        return Kernels.select(DataType.FLOAT);
    }

    /** A large square product by our path through BLAS. */
    @Benchmark
    public void gemm(Traffic traffic) {
        kernels.multiplyByTransposed(left, right, product);
        traffic.product(SIZE, SIZE, SIZE);
    }

    /** A copy of 128 MiB on all processors: memory that no cache holds. */
    @Benchmark
    public void copy(Traffic traffic) {
        int part = FLOATS / PARTS;
        IntStream.range(0, PARTS).parallel().forEach(i -> System.arraycopy(from, i * part, to, i * part, part));
        traffic.floats(2L * FLOATS);
    }
}
