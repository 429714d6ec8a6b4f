package io.github.rlhf4j.ppo.preference.math;

/**
 * Two responses to one prompt.
 *
 * @param chosen y_w, the preferred one
 * @param rejected y_l
 */
public record Pair(ResponseLogProb chosen, ResponseLogProb rejected) {}
