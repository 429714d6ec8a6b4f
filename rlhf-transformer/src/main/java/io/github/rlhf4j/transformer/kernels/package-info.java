/** The narrow waist to the hardware: each numeric operation of the network, with its backward. */
@NullMarked
package io.github.rlhf4j.transformer.kernels;

import org.jspecify.annotations.NullMarked;
