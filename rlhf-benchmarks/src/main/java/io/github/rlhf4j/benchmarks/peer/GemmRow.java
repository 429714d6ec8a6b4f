package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** What the machine's BLAS gives, by our path and by PyTorch's: the ceiling of everything else. */
record GemmRow() implements Row {

    private static final int SIZE = 2048;
    private static final Plan PLAN = new Plan(2, 7, 2);

    @Override
    public String name() {
        return "gemm";
    }

    @Override
    public String work() {
        return "product of two float32 matrices of 2,048 × 2,048";
    }

    @Override
    public Goal goal() {
        return Goal.NONE;
    }

    @Override
    public Result measure(Bench bench) throws IOException {
        Comparison times = bench.compare(job(bench), List.of(""), new Check("product", 1e-3), PLAN);
        return Result.measured(
                this,
                rate(times.ours().median()),
                rate(times.peer().median()),
                times.ratio(),
                "best of ours " + rate(times.ours().min()));
    }

    /** The GEMM peak through our BLAS, operations per second: the best of the rounds. */
    static double peak(Bench bench) throws IOException {
        try (Side ours = bench.sides().ours(job(bench))) {
            double least = Double.POSITIVE_INFINITY;
            for (int round = 0; round < PLAN.rounds(); round++) {
                least = Math.min(least, ours.run(PLAN.steps()) / PLAN.steps());
            }
            return operations() / least;
        }
    }

    private static Job job(Bench bench) throws IOException {
        return bench.job("gemm", bench.directory("gemm"), Map.of(Job.SIZE, SIZE));
    }

    private static double operations() {
        return 2.0 * SIZE * SIZE * SIZE;
    }

    private static String rate(double seconds) {
        return Figures.rate(operations() / 1e9, seconds, "GFLOP");
    }
}
