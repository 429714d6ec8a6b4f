package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Responses of a policy with what reference and reward model say of them; all rows are the responses' tokens.
 *
 * @param batch prompts and responses, the responses scored, at the sampling temperature
 * @param exchanges the same as text
 * @param samplerLogProbs log π of each token when it was drawn, nats
 * @param logProbs log π of each token by the policy's own scoring before any update; the sampler's where the two are one
 * @param referenceLogProbs log π_ref, nats
 * @param tokenScores the reward model's, reward units
 * @param stopped whether each response ended by itself
 */
public record JudgedRollout(
        SequenceBatch batch,
        List<Exchange> exchanges,
        double[][] samplerLogProbs,
        double[][] logProbs,
        double[][] referenceLogProbs,
        double[][] tokenScores,
        boolean[] stopped) {

    /** Number of responses. */
    public int size() {
        return batch.size();
    }

    /** The score of each response, {@code [B]}. */
    public double[] scores() {
        return Ragged.rowSums(tokenScores);
    }

    /**
     * What is reported of these responses, by path: score, reward, KL, length and stops.
     *
     * @param rewards what is learned from, one row per response
     */
    public Map<String, Double> metrics(double[][] rewards) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        RolloutMetrics.report(scores(), rewards, logProbs, referenceLogProbs, metrics);
        int ended = 0;
        for (boolean flag : stopped) {
            ended += flag ? 1 : 0;
        }
        metrics.put("rollout/stopped", (double) ended / stopped.length);
        return metrics;
    }

    /** K1 of each token to the reference, nats. */
    public double[][] kl() {
        return KlEstimator.K1.values(logProbs, referenceLogProbs);
    }

    /** The responses at these indices, in this order. */
    public JudgedRollout select(int... rows) {
        boolean[] ended = new boolean[rows.length];
        for (int i = 0; i < rows.length; i++) {
            ended[i] = stopped[rows[i]];
        }
        return new JudgedRollout(
                batch.select(rows),
                Arrays.stream(rows).mapToObj(exchanges::get).toList(),
                Ragged.select(samplerLogProbs, rows),
                Ragged.select(logProbs, rows),
                Ragged.select(referenceLogProbs, rows),
                Ragged.select(tokenScores, rows),
                ended);
    }

    /** These responses and then the others. */
    public JudgedRollout plus(JudgedRollout other) {
        List<ScoredSequence> sequences = new ArrayList<>(batch.sequences());
        sequences.addAll(other.batch.sequences());
        boolean[] ended = Arrays.copyOf(stopped, size() + other.size());
        System.arraycopy(other.stopped, 0, ended, size(), other.size());
        return new JudgedRollout(
                new SequenceBatch(sequences, batch.temperature()),
                Stream.concat(exchanges.stream(), other.exchanges.stream()).toList(),
                concat(samplerLogProbs, other.samplerLogProbs),
                concat(logProbs, other.logProbs),
                concat(referenceLogProbs, other.referenceLogProbs),
                concat(tokenScores, other.tokenScores),
                ended);
    }

    private static double[][] concat(double[][] a, double[][] b) {
        return Stream.concat(Arrays.stream(a), Arrays.stream(b)).toArray(double[][]::new);
    }
}
