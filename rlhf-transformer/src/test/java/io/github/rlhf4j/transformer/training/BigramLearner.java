package io.github.rlhf4j.transformer.training;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.random.RandomKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The exact learner: a softmax over the next token for each last token, trained by gradient descent with momentum. */
final class BigramLearner implements TokenLearner {

    private static final double MOMENTUM = 0.5;

    final double[][] logits;
    final double[][] gradient;
    private final double[][] velocity;

    /** The batches of every pass, and the keys their sequences came with. */
    final List<SequenceBatch> passes = new ArrayList<>();

    final List<RandomKey> keys = new ArrayList<>();
    int updates;

    /** From this update on, every log-probability is NaN. */
    int breaksAfter = Integer.MAX_VALUE;

    boolean diskIsFull;

    BigramLearner(int vocabularySize) {
        logits = new double[vocabularySize][vocabularySize];
        gradient = new double[vocabularySize][vocabularySize];
        velocity = new double[vocabularySize][vocabularySize];
    }

    @Override
    public double[][] accumulate(SequenceBatch batch, double[][] weights, @Nullable List<RandomKey> dropout) {
        batch.checkShape("weights", weights);
        passes.add(batch);
        keys.addAll(java.util.Objects.requireNonNull(dropout));
        double[][] logProbs = score(batch).logProbs();
        for (int i = 0; i < batch.size(); i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            for (int t = 0; t < sequence.scoredCount(); t++) {
                int next = sequence.tokens().get(sequence.position(t));
                addGradient(sequence.tokens().get(sequence.position(t) - 1), next, weights[i][t]);
            }
        }
        return logProbs;
    }

    private void addGradient(int last, int next, double weight) {
        for (int v = 0; v < logits.length; v++) {
            gradient[last][v] += weight * (Math.exp(logProb(last, v)) - (v == next ? 1 : 0));
        }
    }

    @Override
    public UpdateReport update(double learningRate) {
        double squares = 0;
        for (double[] row : gradient) {
            squares += Arrays.stream(row).map(x -> x * x).sum();
        }
        if (!Double.isFinite(squares)) {
            throw new DivergenceException("the gradient is not finite");
        }
        for (int i = 0; i < logits.length; i++) {
            for (int j = 0; j < logits.length; j++) {
                velocity[i][j] = MOMENTUM * velocity[i][j] + gradient[i][j];
                logits[i][j] -= learningRate * velocity[i][j];
            }
            Arrays.fill(gradient[i], 0);
        }
        updates++;
        return new UpdateReport(Math.sqrt(squares), false);
    }

    @Override
    public void discard() {
        for (double[] row : gradient) {
            Arrays.fill(row, 0);
        }
    }

    @Override
    public TokenScores score(SequenceBatch batch) {
        double[][] logProbs = new double[batch.size()][];
        double[][] entropies = new double[batch.size()][];
        for (int i = 0; i < logProbs.length; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            logProbs[i] = new double[sequence.scoredCount()];
            entropies[i] = new double[sequence.scoredCount()];
            for (int t = 0; t < logProbs[i].length; t++) {
                int position = sequence.position(t);
                logProbs[i][t] = updates >= breaksAfter
                        ? Double.NaN
                        : logProb(
                                sequence.tokens().get(position - 1),
                                sequence.tokens().get(position));
            }
        }
        return new TokenScores(logProbs, entropies);
    }

    double logProb(int last, int next) {
        double[] row = logits[last];
        double max = Arrays.stream(row).max().orElseThrow();
        return row[next]
                - max
                - Math.log(Arrays.stream(row).map(x -> Math.exp(x - max)).sum());
    }

    @Override
    public void saveState(Path directory) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(2 * Double.BYTES * logits.length * logits.length);
        for (double[][] table : List.of(logits, velocity)) {
            for (double[] row : table) {
                Arrays.stream(row).forEach(bytes::putDouble);
            }
        }
        Files.write(directory.resolve("bigram.bin"), Arrays.copyOf(bytes.array(), diskIsFull ? 5 : bytes.capacity()));
        if (diskIsFull) {
            throw new IOException("No space left on device");
        }
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(directory.resolve("bigram.bin")));
        for (double[][] table : List.of(logits, velocity)) {
            for (double[] row : table) {
                Arrays.setAll(row, v -> bytes.getDouble());
            }
        }
    }
}
