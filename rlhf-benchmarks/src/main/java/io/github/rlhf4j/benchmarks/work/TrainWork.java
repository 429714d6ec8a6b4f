package io.github.rlhf4j.benchmarks.work;

import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.Arrays;

/** Training steps of a language model on one batch: forward, backward, clipping, AdamW. */
final class TrainWork implements Work {

    private static final double LEARNING_RATE = 1e-5;

    private final TransformerPolicy policy;
    private final SequenceBatch batch;
    private final double[][] weights;

    TrainWork(Job job) throws IOException {
        policy = TransformerPolicy.load(job.file(Job.MODEL), AdamWConfig.gpt3());
        batch = new SequenceBatch(SequenceFile.read(job.file("")));
        weights = batch.sequences().stream()
                .map(sequence -> equal(sequence.scoredCount(), 1.0 / batch.scoredCount()))
                .toArray(double[][]::new);
    }

    private static double[] equal(int count, double weight) {
        double[] row = new double[count];
        Arrays.fill(row, weight);
        return row;
    }

    @Override
    public double check() {
        return Losses.mean(policy, batch.sequences());
    }

    @Override
    public void run(int steps) {
        for (int i = 0; i < steps; i++) {
            policy.accumulate(batch, weights, null);
            policy.update(LEARNING_RATE);
        }
    }
}
