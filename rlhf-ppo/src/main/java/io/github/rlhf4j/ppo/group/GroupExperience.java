package io.github.rlhf4j.ppo.group;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.Ragged;

/**
 * What the updates learn from; all rows are the responses' tokens.
 *
 * @param logProbs log π_old: of the policy before the first update, nats
 * @param referenceLogProbs log π_ref, nats
 * @param advantages times the correction's weights
 */
record GroupExperience(SequenceBatch batch, double[][] logProbs, double[][] referenceLogProbs, double[][] advantages) {

    GroupExperience select(int... rows) {
        return new GroupExperience(
                batch.select(rows),
                Ragged.select(logProbs, rows),
                Ragged.select(referenceLogProbs, rows),
                Ragged.select(advantages, rows));
    }
}
