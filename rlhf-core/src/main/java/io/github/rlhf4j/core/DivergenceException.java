package io.github.rlhf4j.core;

/** A loss, gradient, reward or parameter is no longer a finite number, or a run has left the region it can recover in. */
public class DivergenceException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public DivergenceException(String message) {
        super(message);
    }
}
