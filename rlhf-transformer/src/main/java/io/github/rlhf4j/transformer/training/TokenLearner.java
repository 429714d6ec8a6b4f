package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model that learns from a weight per token: what maximum likelihood needs of a language model. The weights do not
 * depend on the log-probabilities, so forward and backward are one pass.
 */
public interface TokenLearner extends Checkpointable {

    /**
     * One forward and backward pass, which <b>adds</b> the gradient of −Σᵢ Σₜ weights[i][t]·logProb[i][t] to the gradient
     * buffer. Nothing is updated before {@link #update}, so the weights of several micro-batches add up to one loss.
     *
     * @param weights one row per sequence, one entry per scored token
     * @param dropout the keys of the dropout masks, one for each sequence, so that a sequence is thinned alike in whatever
     *     micro-batch it comes; or null for a pass without dropout
     * @return the log-probabilities of the scored tokens, nats, shaped as {@code weights}; with dropout, those of the
     *     thinned network
     * @throws IllegalArgumentException when the shapes differ, a token lies outside the vocabulary, or a sequence is longer
     *     than the context; what was accumulated since the last update is then discarded
     */
    double[][] accumulate(SequenceBatch batch, double[][] weights, @Nullable List<RandomKey> dropout);

    /**
     * Applies the accumulated gradient, clipped as configured, and clears it.
     *
     * @param learningRate ≥ 0; at 0 no parameter moves
     * @throws io.github.rlhf4j.core.DivergenceException when the gradient is not finite; parameters and optimiser are left
     *     as they were
     */
    UpdateReport update(double learningRate);

    /** Forgets what was accumulated since the last update. */
    void discard();

    /** Log-probabilities and entropies of the scored tokens, without dropout; nothing is accumulated. */
    TokenScores score(SequenceBatch batch);
}
