package io.github.rlhf4j.core;

/**
 * What an optimiser step did.
 *
 * @param gradientNorm global L2 norm of the gradient before clipping
 * @param clipped whether the norm was above the limit and the gradient scaled down to it
 */
public record UpdateReport(double gradientNorm, boolean clipped) {}
