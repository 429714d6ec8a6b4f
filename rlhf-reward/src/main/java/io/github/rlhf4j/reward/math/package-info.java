/** What a reward model minimises, as pure functions of scores and ranks with closed-form gradients; no tensors, no text. */
@NullMarked
package io.github.rlhf4j.reward.math;

import org.jspecify.annotations.NullMarked;
