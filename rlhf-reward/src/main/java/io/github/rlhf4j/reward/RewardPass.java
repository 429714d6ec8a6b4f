package io.github.rlhf4j.reward;

/** A forward pass of a reward model; see {@link io.github.rlhf4j.core.ForwardPass} for its life. */
public interface RewardPass extends AutoCloseable {

    /** One score per exchange. */
    double[] scores();

    /**
     * Adds the parameter gradients that follow from dLoss/dscore; at most once.
     *
     * @throws IllegalArgumentException when there is not one gradient per score
     */
    void backward(double[] dScores);

    @Override
    void close();
}
