package io.github.rlhf4j.core;

/**
 * A policy whose parameters can be moved. It is owned by one trainer at a time, on one thread.
 *
 * <p>The use is always the same: {@link #forward}, an objective turns the scores into a loss and {@link TokenGradients},
 * {@link ForwardPass#backward}; after as many of those as there are micro-batches, one {@link #update}. Forward passes
 * are deterministic (dropout off), so that the first pass over a rollout gives back the sampler's log-probabilities.
 */
public interface TrainablePolicy extends Policy, Checkpointable {

    ForwardPass forward(SequenceBatch batch);

    /**
     * Applies what the backward passes added up, clips it as configured, and clears it.
     *
     * @param learningRate ≥ 0; at 0 no parameter moves
     * @throws DivergenceException when the gradient is not finite; parameters and optimiser are left as they were
     */
    UpdateReport update(double learningRate);
}
