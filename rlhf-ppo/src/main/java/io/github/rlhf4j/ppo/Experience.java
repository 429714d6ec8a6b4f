package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * What the updates learn from; all rows are the responses' tokens.
 *
 * @param batch the sequences
 * @param logProbs log π_old: of the policy before the first update, nats
 * @param referenceLogProbs log π_ref, nats
 * @param values V_old: before the first update, reward units
 * @param advantages whitened when configured, times the correction's weights
 * @param returns the value function's targets, reward units
 */
record Experience(
        SequenceBatch batch,
        double[][] logProbs,
        double[][] referenceLogProbs,
        double[][] values,
        double[][] advantages,
        double[][] returns) {

    Experience select(int... rows) {
        return new Experience(
                batch.select(rows),
                Ragged.select(logProbs, rows),
                Ragged.select(referenceLogProbs, rows),
                Ragged.select(values, rows),
                Ragged.select(advantages, rows),
                Ragged.select(returns, rows));
    }

    int[] lengths() {
        return Ragged.lengths(logProbs);
    }

    int size() {
        return batch.size();
    }
}
