package io.github.rlhf4j.core;

import java.util.List;

/**
 * Says how good responses are. A user's own is one lambda:
 *
 * <pre>{@code
 * RewardModel brevity = batch -> batch.stream().mapToDouble(e -> -e.response().length()).toArray();
 * }</pre>
 *
 * <p>It sees text, so it need not share the policy's tokenizer.
 */
@FunctionalInterface
public interface RewardModel {

    /**
     * One score per exchange, in order; larger is better, any finite number. A trainer that receives another count, or a
     * number that is not finite, stops with a message that names the exchange.
     */
    double[] score(List<Exchange> batch);
}
