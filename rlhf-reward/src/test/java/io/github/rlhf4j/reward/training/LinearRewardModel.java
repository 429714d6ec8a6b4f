package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.reward.RewardPass;
import io.github.rlhf4j.reward.TrainableRewardModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A score that is a sum of weights of the response's letters; gradient descent with momentum. Exact in double. */
class LinearRewardModel implements TrainableRewardModel {

    private static final int LETTERS = 26;
    private static final double MOMENTUM = 0.5;

    final double[] weights = new double[LETTERS];
    final List<Integer> forwardSizes = new ArrayList<>();
    private final double[] velocity = new double[LETTERS];
    private final double[] gradient = new double[LETTERS];
    private final int contextLength;

    LinearRewardModel(int contextLength) {
        this.contextLength = contextLength;
    }

    @Override
    public double[] score(List<Exchange> batch) {
        return batch.stream()
                .mapToDouble(e ->
                        e.response().chars().mapToDouble(c -> weights[c - 'a']).sum())
                .toArray();
    }

    @Override
    public int tokenCount(Exchange exchange) {
        int tokens = exchange.prompt().length() + exchange.response().length();
        if (tokens > contextLength) {
            throw new IllegalArgumentException(tokens + " tokens are more than the window of " + contextLength);
        }
        return tokens;
    }

    @Override
    public RewardPass forward(List<Exchange> batch) {
        forwardSizes.add(batch.size());
        double[] scores = score(batch);
        return new RewardPass() {
            @Override
            public double[] scores() {
                return scores;
            }

            @Override
            public void backward(double[] dScores) {
                for (int i = 0; i < dScores.length; i++) {
                    double d = dScores[i];
                    batch.get(i).response().chars().forEach(c -> gradient[c - 'a'] += d);
                }
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public UpdateReport update(double learningRate) {
        double norm = Math.sqrt(Arrays.stream(gradient).map(g -> g * g).sum());
        if (!Double.isFinite(norm)) {
            throw new DivergenceException("the gradient's norm is " + norm);
        }
        for (int i = 0; i < LETTERS; i++) {
            velocity[i] = MOMENTUM * velocity[i] + gradient[i];
            weights[i] -= learningRate * velocity[i];
        }
        Arrays.fill(gradient, 0);
        return new UpdateReport(norm, false);
    }

    @Override
    public void saveState(Path directory) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(2 * LETTERS * Double.BYTES);
        bytes.asDoubleBuffer().put(weights).put(velocity);
        Files.write(directory.resolve("linear.bin"), bytes.array());
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        ByteBuffer.wrap(Files.readAllBytes(directory.resolve("linear.bin")))
                .asDoubleBuffer()
                .get(weights)
                .get(velocity);
    }
}
