package io.github.rlhf4j.ppo.preference.math;

/**
 * What the losses here know of one response.
 *
 * @param logProb log π(y | x), summed over the response's tokens, nats
 * @param reference log π_ref(y | x), summed likewise; any number where the loss has no reference
 * @param tokens number of the response's tokens, ≥ 1
 */
public record ResponseLogProb(double logProb, double reference, int tokens) {

    public ResponseLogProb {
        if (tokens < 1) {
            throw new IllegalArgumentException(
                    "a response needs at least one scored token to be preferred by, got " + tokens + "; leave it out");
        }
    }
}
