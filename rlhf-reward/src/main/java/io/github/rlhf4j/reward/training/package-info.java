/** The trainer that learns a reward model from rankings. */
@NullMarked
package io.github.rlhf4j.reward.training;

import org.jspecify.annotations.NullMarked;
