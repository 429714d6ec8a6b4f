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
     * What a pass saw of each scored token, shaped as its weights.
     *
     * @param logProbs nats
     * @param logNormalizers log Z, the logarithm of the sum of e^logit over the vocabulary
     */
    record Accumulated(double[][] logProbs, double[][] logNormalizers) {}

    /**
     * As the other {@code accumulate}, of the loss Σᵢ Σₜ weights[i][t]·(zLoss·log² Z − logProb[i][t]): with a z-loss logits keep
     * near a sum of probabilities of 1 without being divided by it (Chowdhery et al. 2022 §5).
     *
     * @param zLoss ≥ 0
     * @throws UnsupportedOperationException when this learner has none
     */
    default Accumulated accumulate(
            SequenceBatch batch, double[][] weights, double zLoss, @Nullable List<RandomKey> dropout) {
        throw new UnsupportedOperationException(
                getClass().getSimpleName() + " has no z-loss; leave zLoss at 0 in the trainer's configuration");
    }

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
