package io.github.rlhf4j.core;

import org.jspecify.annotations.Nullable;

/**
 * The gradient of a scalar loss with respect to what {@link TokenScores} holds; rows and entries as there.
 *
 * @param dLogProbs dLoss/dlogProb
 * @param dEntropies dLoss/dentropy, or null where the loss does not depend on the entropies
 * @param dKls dLoss/dkl, or null where the loss does not depend on the KL to a reference; only for passes that were given one
 */
public record TokenGradients(
        double[][] dLogProbs, double @Nullable [] @Nullable [] dEntropies, double @Nullable [] @Nullable [] dKls) {

    /** The gradient of a loss that depends on the log-probabilities alone. */
    public TokenGradients(double[][] dLogProbs) {
        this(dLogProbs, null, null);
    }

    /** The gradient of a loss without a KL to a reference. */
    public TokenGradients(double[][] dLogProbs, double @Nullable [] @Nullable [] dEntropies) {
        this(dLogProbs, dEntropies, null);
    }
}
