package io.github.rlhf4j.transformer;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A scalar transformer, and an offset that is not trained, as value function: V before the token at position p is read at p − 1. */
public final class TransformerValueFunction implements TrainableValueFunction, AutoCloseable {

    private final ScalarTransformer model;
    private final double offset;

    /** A value function that owns {@code model}. */
    public TransformerValueFunction(ScalarTransformer model) {
        this(model, 0);
    }

    /**
     * A value function that owns {@code model}.
     *
     * @param offset added to each value: where values are to begin from, when the model's weights cannot hold it; finite
     */
    public TransformerValueFunction(ScalarTransformer model, double offset) {
        if (!Double.isFinite(offset)) {
            throw new IllegalArgumentException("the offset of values must be finite, got " + offset);
        }
        this.model = model;
        this.offset = offset;
    }

    private double[][] moved(double[][] scores) {
        return Arrays.stream(scores)
                .map(row -> Arrays.stream(row).map(score -> score + offset).toArray())
                .toArray(double[][]::new);
    }

    public ScalarTransformer model() {
        return model;
    }

    @Override
    public double[][] values(SequenceBatch batch) {
        return moved(model.score(tokens(batch), positions(batch)));
    }

    @Override
    public ValuePass forward(SequenceBatch batch) {
        ScalarTransformer.ScalarPass pass = model.forward(tokens(batch), positions(batch));
        return new ValuePass() {
            @Override
            public double[][] values() {
                return moved(pass.scores());
            }

            @Override
            public void backward(double[][] dValues) {
                pass.backward(dValues);
            }

            @Override
            public void close() {
                pass.close();
            }
        };
    }

    /** All tokens but the last, before which there is a value but after which there is none. */
    static List<TokenSequence> tokens(SequenceBatch batch) {
        return batch.sequences().stream()
                .map(ScoredSequence::tokens)
                .map(tokens -> tokens.slice(0, Math.max(1, tokens.length() - 1)))
                .toList();
    }

    static List<int[]> positions(SequenceBatch batch) {
        return batch.sequences().stream()
                .map(sequence -> Arrays.stream(sequence.positions())
                        .map(position -> position - 1)
                        .toArray())
                .toList();
    }

    @Override
    public UpdateReport update(double learningRate) {
        return model.update(learningRate);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        model.saveState(directory);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        model.restoreState(directory);
    }

    @Override
    public void close() {
        model.close();
    }
}
