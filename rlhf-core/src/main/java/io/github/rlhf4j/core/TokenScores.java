package io.github.rlhf4j.core;

import org.jspecify.annotations.Nullable;

/**
 * What a policy says of the scored tokens of a batch. Row {@code i} belongs to sequence {@code i} and has one entry per
 * scored token.
 *
 * @param logProbs log π(token | everything before it), nats, ≤ 0
 * @param entropies entropy of the distribution the token was scored under, nats, in [0, log V]
 * @param kls KL(π(·|everything before it)‖π_ref(·|everything before it)) of that distribution to a reference's, over the whole
 *     vocabulary and not of the token alone, nats, ≥ 0 up to rounding; null but in passes that were given a reference ({@link
 *     TrainablePolicy#forward(SequenceBatch, Policy)})
 */
public record TokenScores(double[][] logProbs, double[][] entropies, double @Nullable [] @Nullable [] kls) {

    /** Scores of a pass without a reference. */
    public TokenScores(double[][] logProbs, double[][] entropies) {
        this(logProbs, entropies, null);
    }

    /** Sum of the log-probabilities of sequence {@code i}, nats. */
    public double sequenceLogProb(int i) {
        double sum = 0;
        for (double logProb : logProbs[i]) {
            sum += logProb;
        }
        return sum;
    }
}
