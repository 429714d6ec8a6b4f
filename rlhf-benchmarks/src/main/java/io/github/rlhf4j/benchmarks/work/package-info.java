/** Our side of the side-by-side benchmark: a program that does one kind of work, as many steps as it is asked for. */
@NullMarked
package io.github.rlhf4j.benchmarks.work;

import org.jspecify.annotations.NullMarked;
