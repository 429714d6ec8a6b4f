package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Exchange;

/**
 * A response that somebody judged by itself: a thumb up or down. What KTO learns from.
 *
 * @param exchange prompt and response
 * @param desirable whether there should be more like it
 */
public record JudgedExchange(Exchange exchange, boolean desirable) {}
