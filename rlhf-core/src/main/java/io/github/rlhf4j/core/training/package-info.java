/** The training loop's contract: a trainer is a resumable step machine that reports; checkpoints, listeners, schedules. */
@NullMarked
package io.github.rlhf4j.core.training;

import org.jspecify.annotations.NullMarked;
