/**
 * Holds no code: the starter is the one dependency that brings core, transformer, reward models, policy optimisation and
 * ND4J's CPU backend. A project with a GPU adds {@code org.nd4j:nd4j-cuda-11.6}; {@code ComputeBackend} then takes it.
 */
@NullMarked
package io.github.rlhf4j.starter;

import org.jspecify.annotations.NullMarked;
