package io.github.rlhf4j.reward;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A transformer that reads prompt and response and scores them: a language model's trunk with a head of one number
 * (InstructGPT, §3.5), read at the last token of the response, which is its stop token.
 *
 * <p>Scores are {@code gain·head + bias}, see {@link ScoreNormalization}; the map is the identity until it is set. An
 * exchange's score does not depend on what else is in the batch.
 */
public final class TransformerRewardModel implements TrainableRewardModel {

    /** Most tokens that go through the network at once when scoring. */
    private static final int BATCH_TOKENS = 8192;

    private static final String NETWORK_DIRECTORY = "network";
    private static final String NORMALIZATION_FILE = "normalization.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ScalarScorer network;
    private final ExchangeReader reader;
    private volatile ScoreNormalization normalization = ScoreNormalization.IDENTITY;

    TransformerRewardModel(ScalarScorer network, ChatFormat format) {
        this.network = network;
        this.reader = new ExchangeReader(format, network.contextLength());
    }

    /** The map from the head's output to the score. */
    public ScoreNormalization normalization() {
        return normalization;
    }

    /** Replaces the map from the head's output to the score. */
    public void setNormalization(ScoreNormalization newNormalization) {
        normalization = newNormalization;
    }

    /**
     * Sets gain and bias such that these exchanges score mean 0 and variance 1 (Ziegler et al. 2019, §2.1).
     *
     * @param references prompts with responses of the reference policy
     */
    public void standardizeOn(List<Exchange> references) {
        normalization = normalization.then(ScoreNormalization.standardizing(RewardModels.score(this, references)));
    }

    /**
     * Sets the bias such that these exchanges score mean 0 (InstructGPT, §3.5).
     *
     * @param references prompts with labelers' demonstrations, or with responses of the reference policy
     */
    public void centerOn(List<Exchange> references) {
        normalization = normalization.then(ScoreNormalization.centering(RewardModels.score(this, references)));
    }

    @Override
    public double[] score(List<Exchange> batch) {
        List<TokenSequence> sequences = batch.stream().map(reader::tokens).toList();
        int[] lengths = sequences.stream().mapToInt(TokenSequence::length).toArray();
        double[] scores = new double[batch.size()];
        for (TokenBudget.Part part : TokenBudget.split(lengths, BATCH_TOKENS)) {
            List<TokenSequence> some = sequences.subList(part.from(), part.to());
            double[] raw = single(network.score(some, lastPositions(some)));
            System.arraycopy(normalization.apply(raw), 0, scores, part.from(), raw.length);
        }
        return scores;
    }

    @Override
    public int tokenCount(Exchange exchange) {
        return reader.tokens(exchange).length();
    }

    @Override
    public RewardPass forward(List<Exchange> batch) {
        List<TokenSequence> sequences = batch.stream().map(reader::tokens).toList();
        return new Pass(network.forward(sequences, lastPositions(sequences)), normalization);
    }

    @Override
    public UpdateReport update(double learningRate) {
        return network.update(learningRate);
    }

    /** The last token read: the stop token of the response. */
    private static List<int[]> lastPositions(List<TokenSequence> sequences) {
        return sequences.stream()
                .map(sequence -> new int[] {sequence.length() - 1})
                .toList();
    }

    private static double[] single(double[][] rows) {
        return Arrays.stream(rows).mapToDouble(row -> row[0]).toArray();
    }

    @Override
    public void saveState(Path directory) throws IOException {
        network.saveState(Files.createDirectory(directory.resolve(NETWORK_DIRECTORY)));
        JSON.writeValue(directory.resolve(NORMALIZATION_FILE).toFile(), normalization);
    }

    @Override
    public void restoreState(Path directory) throws IOException {
        Path file = directory.resolve(NORMALIZATION_FILE);
        ScoreNormalization saved;
        try {
            saved = JSON.readValue(file.toFile(), ScoreNormalization.class);
        } catch (IOException e) {
            throw new IOException(file + " does not hold a gain and a bias: " + e.getMessage(), e);
        }
        network.restoreState(directory.resolve(NETWORK_DIRECTORY));
        normalization = saved;
    }

    /** A pass through network and normalisation: score = gain·head + bias, so dHead = gain·dScore. */
    private record Pass(ScalarScorer.Pass network, ScoreNormalization normalization) implements RewardPass {

        @Override
        public double[] scores() {
            return normalization.apply(single(network.scores()));
        }

        @Override
        public void backward(double[] dScores) {
            network.backward(Arrays.stream(dScores)
                    .mapToObj(d -> new double[] {normalization.gain() * d})
                    .toArray(double[][]::new));
        }

        @Override
        public void close() {
            network.close();
        }
    }
}
