package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What rows are measured with.
 *
 * @param sides opens both sides
 * @param threads of each side
 * @param quick whether to measure as little as possible
 * @param scratch directory for models and texts
 * @param plots directory for charts
 */
record Bench(Sides sides, int threads, boolean quick, Path scratch, Path plots) {

    /** A new directory for a row's files. */
    Path directory(String name) throws IOException {
        return Files.createDirectories(scratch.resolve(name));
    }

    Job job(String work, Path directory, Map<String, Integer> sizes) {
        return Job.of(work, threads, directory, sizes);
    }

    /** Measures a job as often as planned, or less when it is to be quick. */
    Comparison compare(Job job, List<String> variants, Check check, Plan plan) throws IOException {
        return new Alternation(sides, quick ? plan.quick() : plan).measure(job, variants, check);
    }

    /** As {@code compare}, with a peer that has one variant and a loss to agree on. */
    Comparison compare(Job job, Plan plan) throws IOException {
        return compare(job, List.of(""), Check.LOSS, plan);
    }
}
