package io.github.rlhf4j.core;

/**
 * What a policy says of the scored tokens of a batch. Row {@code i} belongs to sequence {@code i} and has one entry per
 * scored token.
 *
 * @param logProbs log π(token | everything before it), nats, ≤ 0
 * @param entropies entropy of the distribution the token was scored under, nats, in [0, log V]
 */
public record TokenScores(double[][] logProbs, double[][] entropies) {

    /** Sum of the log-probabilities of sequence {@code i}, nats. */
    public double sequenceLogProb(int i) {
        double sum = 0;
        for (double logProb : logProbs[i]) {
            sum += logProb;
        }
        return sum;
    }
}
