/** Reward models learned from preferences: heads, losses, trainers, labelers, calibration. */
@NullMarked
package io.github.rlhf4j.reward;

import org.jspecify.annotations.NullMarked;
