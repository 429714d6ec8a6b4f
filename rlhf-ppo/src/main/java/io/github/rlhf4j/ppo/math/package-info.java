/**
 * The mathematics of policy optimisation as pure functions on ragged {@code double[sequence][token]}: no tensor, no
 * configuration object, no state. Each file can be read beside the paper it cites.
 *
 * <p>Rows are sequences, entries their scored tokens in order, so a turn of somebody else's between two of the policy's
 * does not exist here. Log-probabilities and KL in nats; rewards, values and advantages in reward units. An objective
 * returns its loss together with its gradient in closed form with respect to exactly what it was given.
 */
@NullMarked
package io.github.rlhf4j.ppo.math;

import org.jspecify.annotations.NullMarked;
