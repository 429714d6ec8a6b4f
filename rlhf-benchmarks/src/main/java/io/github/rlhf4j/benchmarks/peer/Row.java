package io.github.rlhf4j.benchmarks.peer;

import java.io.IOException;

/** One kind of work that is measured. */
interface Row {

    /** How it is selected on the command line. */
    String name();

    /** What is done, in words. */
    String work();

    /** What the ratio is to be. */
    Goal goal();

    /** Whether the peer takes part. */
    default boolean needsPeer() {
        return true;
    }

    /** Measures it. */
    Result measure(Bench bench) throws IOException;
}
