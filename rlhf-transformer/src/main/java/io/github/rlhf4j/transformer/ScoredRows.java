package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.List;

/**
 * Where a ragged batch meets packed rows: the token at position p of a sequence is predicted by the hidden state at position
 * p − 1.
 *
 * @param read where the hidden state is that predicts each scored token
 * @param targets the scored tokens, as many
 * @param counts scored tokens of each sequence, {@code [B]}
 */
record ScoredRows(ReadRows read, int[] targets, int[] counts) {

    static ScoredRows of(SequenceBatch batch, TransformerConfig config) {
        List<TokenSequence> sequences =
                batch.sequences().stream().map(ScoredRows::inputs).toList();
        PackedTokens packed = PackedTokens.of(sequences, config.vocabularySize(), config.contextLength());
        int[][] positions = new int[batch.size()][];
        int[] targets = new int[batch.scoredCount()];
        int[] counts = new int[batch.size()];
        int at = 0;
        for (int i = 0; i < batch.size(); i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            counts[i] = sequence.scoredCount();
            positions[i] = new int[counts[i]];
            for (int k = 0; k < counts[i]; k++) {
                positions[i][k] = sequence.position(k) - 1;
                targets[at++] = target(i, sequence, sequence.position(k), config);
            }
        }
        return new ScoredRows(ReadRows.of(packed, positions), targets, counts);
    }

    private static int target(int i, ScoredSequence sequence, int position, TransformerConfig config) {
        int target = sequence.tokens().get(position);
        if (target >= config.vocabularySize()) {
            throw PackedTokens.outsideVocabulary(i, position, target, config.vocabularySize());
        }
        return target;
    }

    /** All tokens but the last, which is predicted and predicts nothing: so a window of context + 1 tokens fits. */
    private static TokenSequence inputs(ScoredSequence sequence) {
        return sequence.tokens().slice(0, Math.max(1, sequence.length() - 1));
    }

    /** The rows whose hidden states the trunk gives, {@code [M]}. */
    PackedTokens packed() {
        return read.packed();
    }

    /** The row of {@link #packed} that predicts each scored token. */
    int[] rows() {
        return read.rows();
    }

    /** Number of scored tokens. */
    int count() {
        return targets.length;
    }

    /** A number for each scored token, as ragged rows. */
    double[][] ragged(double[] flat) {
        return Ragged.rows(flat, counts);
    }

    /** The mirror of {@link #ragged}. */
    double[] flat(double[][] ragged, String what) {
        return Ragged.flat(ragged, counts, what);
    }
}
