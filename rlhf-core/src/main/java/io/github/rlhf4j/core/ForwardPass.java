package io.github.rlhf4j.core;

/**
 * A forward pass that remembers what its backward pass needs. Close it when done; an unclosed one holds its memory.
 *
 * <p>Passes of one policy are closed in the reverse order of their opening.
 */
public interface ForwardPass extends AutoCloseable {

    TokenScores scores();

    /**
     * Adds the parameter gradients that follow from {@code gradients} to the policy's gradient buffer. To be called at
     * most once; nothing is updated before {@link TrainablePolicy#update}.
     *
     * @throws IllegalArgumentException when the shapes are not those of {@link #scores()}
     * @throws IllegalStateException on a second call or after {@link #close()}
     */
    void backward(TokenGradients gradients);

    @Override
    void close();
}
