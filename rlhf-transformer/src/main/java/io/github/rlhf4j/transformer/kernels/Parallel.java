package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.backend.ComputeThreads;

/**
 * Splits rows over threads. A task writes its own rows only and computes each row from that row's inputs, so the number
 * of threads cannot change a result; sums over rows go through {@link #partitions} instead, whose partition does not
 * depend on threads either.
 *
 * <p>Implementation note. The threads are our own ({@link ThreadCrew}): {@link
 * ComputeThreads#count()} of them, with the caller's. Several callers may use them at
 * once, and a task may split its own work again.
 */
final class Parallel {

    private static final ThreadCrew CREW = new ThreadCrew(ComputeThreads.count());

    private Parallel() {}

    /**
     * Runs {@code task} over all of {@code [0, count)} in disjoint ranges, and returns when all are done.
     *
     * @param minPerTask the smallest range worth a thread, ≥ 1; with fewer rows than twice that, the caller does all
     */
    static void rows(int count, int minPerTask, IntRangeTask task) {
        rows(CREW, count, minPerTask, task);
    }

    /** As the other {@code rows}, on given threads. */
    static void rows(ThreadCrew crew, int count, int minPerTask, IntRangeTask task) {
        int tasks = crew.threads() == 1 ? 1 : Math.min(2 * crew.threads(), count / Math.max(1, minPerTask));
        if (count <= 0) {
            return;
        }
        if (tasks <= 1) {
            task.run(0, count);
            return;
        }
        crew.each(tasks, i -> task.run(bound(count, tasks, i), bound(count, tasks, i + 1)));
    }

    /** Runs {@code task} for each number in {@code [0, count)}; a thread takes the next one when it is done with one. */
    static void each(int count, ThreadCrew.Task task) {
        CREW.each(count, task);
    }

    /**
     * Runs {@code task} once for each of {@code partitions} ranges that depend on {@code count} alone: for sums over rows,
     * where the order of additions must not depend on the number of threads.
     */
    static void partitions(int count, int partitions, PartitionTask task) {
        each(partitions, p -> task.run(p, bound(count, partitions, p), bound(count, partitions, p + 1)));
    }

    /** Work on one range of a fixed partition. */
    @FunctionalInterface
    interface PartitionTask {

        /** Does rows {@code from} (inclusive) to {@code to} (exclusive) of range number {@code partition}. */
        void run(int partition, int from, int to);
    }

    /** Where range number {@code part} of {@code parts} ranges of {@code [0, count)} begins. */
    static int bound(int count, int parts, int part) {
        return (int) ((long) count * part / parts);
    }
}
