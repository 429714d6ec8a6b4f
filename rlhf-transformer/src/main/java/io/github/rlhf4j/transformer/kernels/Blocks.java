package io.github.rlhf4j.transformer.kernels;

/**
 * How matrices are walked: some rows at a time, few enough that several such blocks stay in a core's cache, and in
 * partitions that depend on the number of rows alone where rows are summed up.
 */
final class Blocks {

    /** Floats copied at a time. */
    static final int FLOATS = 8192;

    /** Floats below which another thread costs more than it brings. */
    private static final int WORTH_A_THREAD = 16384;

    private static final int MOST_PARTITIONS = 16;

    private Blocks() {}

    /** Work on rows {@code [from, to)} that fit a block. */
    @FunctionalInterface
    interface RowBlock {
        void run(int from, int to);
    }

    /** Runs {@code block} over all rows of a matrix of this width, on several threads. */
    static void rows(int count, int width, RowBlock block) {
        int perBlock = Math.max(1, FLOATS / width);
        Parallel.rows(count, Math.max(1, WORTH_A_THREAD / width), (from, to) -> walk(from, to, perBlock, block));
    }

    /** Rows {@code [from, to)} in blocks, on this thread. */
    static void walk(int from, int to, int perBlock, RowBlock block) {
        for (int start = from; start < to; start += perBlock) {
            block.run(start, Math.min(to, start + perBlock));
        }
    }

    /** Length of an array in blocks of {@link #FLOATS} elements, the last one partly filled. */
    static int count(long elements) {
        return Math.toIntExact((elements + FLOATS - 1) / FLOATS);
    }

    /** Work on {@code length} consecutive elements from {@code offset} on. */
    @FunctionalInterface
    interface ElementBlock {
        void run(int block, long offset, int length);
    }

    /** Runs {@code task} over the elements {@code [0, elements)} block by block, on several threads. */
    static void elements(long elements, ElementBlock task) {
        Parallel.rows(count(elements), 2, (from, to) -> {
            for (int b = from; b < to; b++) {
                long offset = (long) b * FLOATS;
                task.run(b, offset, (int) Math.min(FLOATS, elements - offset));
            }
        });
    }

    /** Ranges in which rows are summed up separately: enough for the threads, few enough to be added up at the end. */
    static int partitions(int count, int width) {
        return (int) Math.max(1, Math.min(MOST_PARTITIONS, (long) count * width / (2 * WORTH_A_THREAD)));
    }
}
