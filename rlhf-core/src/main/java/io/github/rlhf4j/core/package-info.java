/**
 * The contracts of rlhf4j and the records they exchange. Nothing here knows a tensor: a network ends at per-token
 * log-probabilities, and the algorithms begin there.
 *
 * <p>Batches are ragged: {@code double[sequence][scored token]}, each row as long as its sequence; there is no padding
 * and no mask. Log-probabilities, entropies and KL are in nats, under the sampling temperature of the batch.
 */
@NullMarked
package io.github.rlhf4j.core;

import org.jspecify.annotations.NullMarked;
