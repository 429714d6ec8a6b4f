package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.transformer.kernels.PackedTokens;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.List;

/**
 * Where a ragged batch meets packed rows: the token at position p of a sequence is predicted by the hidden state of row
 * {@code start + p − 1}.
 *
 * @param packed the sequences, packed
 * @param rows hidden row that predicts each scored token, {@code [M]}
 * @param targets the scored tokens, {@code [M]}
 * @param counts scored tokens of each sequence, {@code [B]}
 */
record ScoredRows(PackedTokens packed, int[] rows, int[] targets, int[] counts) {

    static ScoredRows of(SequenceBatch batch, TransformerConfig config) {
        List<TokenSequence> sequences =
                batch.sequences().stream().map(ScoredRows::inputs).toList();
        PackedTokens packed = PackedTokens.of(sequences, config.vocabularySize(), config.contextLength());
        int[] rows = new int[batch.scoredCount()];
        int[] targets = new int[rows.length];
        int[] counts = new int[batch.size()];
        int at = 0;
        for (int i = 0; i < batch.size(); i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            counts[i] = sequence.scoredCount();
            for (int k = 0; k < counts[i]; k++) {
                int position = sequence.position(k);
                rows[at] = packed.start(i) + position - 1;
                targets[at++] = target(i, sequence, position, config);
            }
        }
        return new ScoredRows(packed, rows, targets, counts);
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

    /** Number of scored tokens, M. */
    int count() {
        return rows.length;
    }

    /** {@code [M]} as ragged rows. */
    double[][] ragged(double[] flat) {
        return Ragged.rows(flat, counts);
    }

    /** Ragged rows as {@code [M]}. */
    double[] flat(double[][] ragged, String what) {
        return Ragged.flat(ragged, counts, what);
    }
}
