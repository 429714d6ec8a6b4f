/** JMH benchmarks of the kernels, and of what the machine can do at most. */
@NullMarked
package io.github.rlhf4j.benchmarks.kernels;

import org.jspecify.annotations.NullMarked;
