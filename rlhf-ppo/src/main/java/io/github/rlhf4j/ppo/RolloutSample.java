package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;

/**
 * One response of a rollout, for people to read.
 *
 * @param exchange prompt and response as text
 * @param score the reward model's own, before clipping and the missing-stop rule
 * @param kl Σ over the response's tokens of K1 to the reference, nats
 * @param tokens number of response tokens, stop token included
 * @param stopped whether it ended by itself
 */
public record RolloutSample(Exchange exchange, double score, double kl, int tokens, boolean stopped) {}
