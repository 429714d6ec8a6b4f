package io.github.rlhf4j.core;

/** A forward pass of a value function that can go backward; see {@link ForwardPass} for its life. */
public interface ValuePass extends AutoCloseable {

    /** V(s_t) for each scored token t, where s_t is everything before the token; reward units. */
    double[][] values();

    /**
     * Adds the parameter gradients that follow from dLoss/dvalue; shapes as {@link #values()}, at most once.
     *
     * @throws IllegalArgumentException when the shapes differ
     */
    void backward(double[][] dValues);

    @Override
    void close();
}
