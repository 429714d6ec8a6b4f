/** JMH and whole-run benchmarks, side by side with peers; never deployed. */
@NullMarked
package io.github.rlhf4j.benchmarks;

import org.jspecify.annotations.NullMarked;
