package io.github.rlhf4j.core;

/**
 * A policy and a value function on one trunk: one forward pass gives both, one backward pass takes both gradients, one
 * update moves both. Where policy and value function are separate models, they are two objects and this is not needed.
 */
public interface ActorCritic extends TrainablePolicy, ValueFunction {

    JointPass forwardJointly(SequenceBatch batch);

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
