package io.github.rlhf4j.ppo.math;

/**
 * A loss over the tokens of a batch.
 *
 * @param loss Σ_i w_i·Σ_t loss_it, to be minimised
 * @param gradient its derivative with respect to each entry of the objective's first argument
 */
public record TokenLoss(double loss, double[][] gradient) {}
