package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.UpdateReport;
import java.util.List;

/**
 * A reward model whose parameters can be moved; owned by one trainer at a time, on one thread. The use is that of
 * {@link io.github.rlhf4j.core.TrainablePolicy}: forward, a loss turns scores into a gradient, backward; after as many of
 * those as there are micro-batches, one update.
 */
public interface TrainableRewardModel extends RewardModel, Checkpointable {

    /**
     * Number of tokens read to score this exchange: what a batch of it costs.
     *
     * @throws IllegalArgumentException when it cannot be scored because it is too long, naming the limit
     */
    int tokenCount(Exchange exchange);

    /** A forward pass that can go backward; its scores are those of {@link #score}, whatever else is in the batch. */
    RewardPass forward(List<Exchange> batch);

    /**
     * Applies what the backward passes added up, clips it as configured, and clears it.
     *
     * @param learningRate ≥ 0; at 0 no parameter moves
     * @throws io.github.rlhf4j.core.DivergenceException when the gradient is not finite; nothing has then moved
     */
    UpdateReport update(double learningRate);
}
