package io.github.rlhf4j.core;

/**
 * A policy and a value function on one trunk: one forward pass gives both, one backward pass takes both gradients, one
 * update moves both. Where policy and value function are separate models, they are two objects and this is not needed.
 */
public interface ActorCritic extends TrainablePolicy, ValueFunction {

    JointPass forwardJointly(SequenceBatch batch);

    /**
     * As {@link #forwardJointly(SequenceBatch)}, with the KL to a reference as in {@link
     * TrainablePolicy#forward(SequenceBatch, Policy)}.
     *
     * @throws IllegalArgumentException as {@link #requireKlTo}
     */
    default JointPass forwardJointly(SequenceBatch batch, Policy reference) {
        requireKlTo(reference);
        throw new UnsupportedOperationException(getClass().getName()
                + " has a requireKlTo and no forwardJointly(batch, reference); override both or none");
    }

    /** A forward pass of both heads; see {@link ForwardPass} for its life. */
    interface JointPass extends AutoCloseable {

        TokenScores scores();

        double[][] values();

        /** Adds the parameter gradients of both heads; at most once. */
        void backward(TokenGradients gradients, double[][] dValues);

        @Override
        void close();
    }
}
