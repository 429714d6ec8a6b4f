package io.github.rlhf4j.transformer.kernels;

/** Work on a range of rows that does not touch what other ranges write. */
@FunctionalInterface
interface IntRangeTask {

    /** Does rows {@code from} (inclusive) to {@code to} (exclusive). */
    void run(int from, int to);
}
