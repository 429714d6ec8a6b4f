package io.github.rlhf4j.benchmarks.peer;

import io.github.rlhf4j.benchmarks.work.Job;
import java.io.IOException;

/** Opens the sides of a comparison; returns when the side has read its job and said its check. */
interface Sides {

    Side ours(Job job) throws IOException;

    Side peer(Job job) throws IOException;
}
