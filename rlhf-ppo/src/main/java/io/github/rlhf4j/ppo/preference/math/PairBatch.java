package io.github.rlhf4j.ppo.preference.math;

import io.github.rlhf4j.ppo.math.Ragged;

/**
 * Pairs as log-probabilities; row {@code i} of each is pair {@code i}.
 *
 * @param chosen log π of each token of the preferred responses, {@code [pair][token]}, nats
 * @param rejected log π of each token of the others; other lengths
 * @param chosenReference log π_ref of each preferred response, summed over its tokens, nats; zeros where the loss has no
 *     reference
 * @param rejectedReference likewise for the others
 */
public record PairBatch(double[][] chosen, double[][] rejected, double[] chosenReference, double[] rejectedReference) {

    public PairBatch {
        int pairs = chosen.length;
        if (pairs == 0
                || rejected.length != pairs
                || chosenReference.length != pairs
                || rejectedReference.length != pairs) {
            throw new IllegalArgumentException(
                    "a batch of pairs needs at least one, and a chosen response, a rejected one"
                            + " and both reference log-probs of each; got " + pairs + ", " + rejected.length + ", "
                            + chosenReference.length + " and " + rejectedReference.length);
        }
    }

    /** Number of pairs. */
    public int size() {
        return chosen.length;
    }

    Pair pair(int i) {
        return new Pair(
                new ResponseLogProb(Ragged.sum(chosen[i]), chosenReference[i], chosen[i].length),
                new ResponseLogProb(Ragged.sum(rejected[i]), rejectedReference[i], rejected[i].length));
    }
}
