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
     * As {@link #forward(SequenceBatch)}, whose scores have {@link TokenScores#kls} to a reference beside, and whose backward
     * pass takes {@link TokenGradients#dKls}. For policies that can compare whole next-token distributions; others leave this
     * method and {@link #requireKlTo} as they are.
     *
     * @param reference frozen; it goes over the batch as well, without a gradient
     * @throws IllegalArgumentException as {@link #requireKlTo}
     */
    default ForwardPass forward(SequenceBatch batch, Policy reference) {
        requireKlTo(reference);
        throw new UnsupportedOperationException(
                getClass().getName() + " has a requireKlTo and no forward(batch, reference); override both or none");
    }

    /**
     * Checks that {@link #forward(SequenceBatch, Policy)} can compare with this reference. A trainer with such a term in its loss
     * asks before it begins.
     *
     * @throws IllegalArgumentException when it cannot, and why
     */
    default void requireKlTo(Policy reference) {
        throw new IllegalArgumentException(
                getClass().getName() + " gives the log-probs of tokens and keeps its next-token"
                        + " distributions to itself, so it has no exact KL to a reference. Policies that override"
                        + " TrainablePolicy.forward(batch, reference) have: rlhf-transformer's, and the tabular ones of"
                        + " rlhf-testkit. For others there is K2 in the loss, whose gradient on samples of the policy itself is the"
                        + " same on average");
    }

    /**
     * Applies what the backward passes added up, clips it as configured, and clears it.
     *
     * @param learningRate ≥ 0; at 0 no parameter moves
     * @throws DivergenceException when the gradient is not finite; parameters and optimiser are left as they were
     */
    UpdateReport update(double learningRate);
}
