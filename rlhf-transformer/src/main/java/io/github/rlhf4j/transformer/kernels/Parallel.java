package io.github.rlhf4j.transformer.kernels;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Splits rows over threads. A task writes its own rows only and computes each row from that row's inputs, so the number
 * of threads cannot change a result; sums over rows go through {@link #partitions} instead, whose partition does not
 * depend on threads either.
 *
 * <p>Implementation note. The pool is our own: its size is that of ND4J's threads (system property {@value
 * ComputeBackend#THREADS_PROPERTY}, default the available processors), its threads are daemons. Several callers may use
 * it at once, and a task may split its own work again: a thread that waits in a fork-join pool works meanwhile.
 */
final class Parallel {

    private static final ForkJoinPool POOL = new ForkJoinPool(configuredThreads());

    private Parallel() {}

    private static int configuredThreads() {
        int fallback = Runtime.getRuntime().availableProcessors();
        return Math.max(1, Math.min(256, Integer.getInteger(ComputeBackend.THREADS_PROPERTY, fallback)));
    }

    /**
     * Runs {@code task} over all of {@code [0, count)} in disjoint ranges, and returns when all are done.
     *
     * @param minPerTask the smallest range worth a thread, ≥ 1; with fewer rows than twice that, the caller does all
     */
    static void rows(int count, int minPerTask, IntRangeTask task) {
        rows(POOL, count, minPerTask, task);
    }

    /** As {@link #rows(int, int, IntRangeTask)}, on a given pool. */
    static void rows(ForkJoinPool pool, int count, int minPerTask, IntRangeTask task) {
        int tasks = (int) Math.min(2L * pool.getParallelism(), count / Math.max(1, minPerTask));
        if (count <= 0) {
            return;
        }
        if (tasks <= 1 || pool.getParallelism() == 1) {
            task.run(0, count);
            return;
        }
        Split all = new Split(task, count, tasks, 0, tasks);
        if (ForkJoinTask.getPool() == pool) {
            all.invoke();
        } else {
            pool.invoke(all);
        }
    }

    /** Runs {@code task} for each number in {@code [0, count)}; a thread takes the next one when it is done with one. */
    static void each(int count, Task task) {
        AtomicInteger next = new AtomicInteger();
        rows(Math.min(count, POOL.getParallelism()), 1, (from, to) -> {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                task.run(i);
            }
        });
    }

    /** Work on one of a number of things. */
    @FunctionalInterface
    interface Task {
        void run(int index);
    }

    /**
     * Runs {@code task} once for each of {@code partitions} ranges that depend on {@code count} alone: for sums over rows,
     * where the order of additions must not depend on the number of threads.
     */
    static void partitions(int count, int partitions, PartitionTask task) {
        rows(partitions, 1, (from, to) -> {
            for (int p = from; p < to; p++) {
                task.run(p, bound(count, partitions, p), bound(count, partitions, p + 1));
            }
        });
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

    /** Ranges {@code [from, to)} of the {@code tasks} ranges of {@code [0, count)}. */
    private static final class Split extends RecursiveAction {

        private static final long serialVersionUID = 1;

        private final transient IntRangeTask task;
        private final int count;
        private final int tasks;
        private final int from;
        private final int to;

        Split(IntRangeTask task, int count, int tasks, int from, int to) {
            this.task = task;
            this.count = count;
            this.tasks = tasks;
            this.from = from;
            this.to = to;
        }

        @Override
        protected void compute() {
            if (to - from == 1) {
                task.run(bound(count, tasks, from), bound(count, tasks, to));
                return;
            }
            int middle = (from + to) >>> 1;
            invokeAll(new Split(task, count, tasks, from, middle), new Split(task, count, tasks, middle, to));
        }
    }
}
