/**
 * Proximal policy optimisation outside language: the same mathematics ({@code ppo.math}) on tasks of classic control, with
 * a small network.
 *
 * <p>What a sampled token is there, an action is here, and a row of a {@code double[][]} is a stretch of one episode. An
 * {@link io.github.rlhf4j.ppo.control.Environment} is the task, {@link io.github.rlhf4j.ppo.control.CartPole} one that is
 * known, {@link io.github.rlhf4j.ppo.control.ControlTrainer} Algorithm 1 of Schulman et al. 2017.
 */
@NullMarked
package io.github.rlhf4j.ppo.control;

import org.jspecify.annotations.NullMarked;
