package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;

/** One side of a comparison, which has a job and waits to be asked for steps of it. */
interface Side extends AutoCloseable {

    /** What both sides must agree on: a mean loss in nats, a number of tokens. */
    double check();

    /**
     * Does steps of the job.
     *
     * @param steps ≥ 1
     * @return seconds that all of them took together, by the side's own clock
     */
    double run(int steps) throws IOException;

    /** The most memory the side's process has had resident so far, bytes. */
    long peakBytes() throws IOException;

    @Override
    void close();
}
