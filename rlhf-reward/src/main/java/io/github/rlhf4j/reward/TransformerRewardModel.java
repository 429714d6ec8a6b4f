package io.github.rlhf4j.reward;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * A transformer that reads prompt and response and scores them: a language model's trunk with a head of one number
 * (InstructGPT, §3.5), read at the last token of the response, which is its stop token. An exchange is text, so a response
 * that ran out of room is read as if it had stopped there.
 *
 * <p>Scores are {@code gain·head + bias}, see {@link ScoreNormalization}; the map is the identity until it is set. An
 * exchange's score does not depend on what else is in the batch. A conversation too long for the network loses its oldest
 * turns; when even its last message and the response do not fit, {@link #score}, {@link #forward} and {@link #tokenCount}
 * throw an {@link IllegalArgumentException} that says so.
 */
public final class TransformerRewardModel implements TrainableRewardModel, AutoCloseable {

    private static final String NETWORK_DIRECTORY = "network";
    private static final String NORMALIZATION_FILE = "normalization.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ScalarTransformer network;
    private final ChatFormat format;
    private final ExchangeReader reader;
    private volatile ScoreNormalization normalization;

    /** A reward model that owns {@code network} and reads exchanges in this format. */
    public TransformerRewardModel(ScalarTransformer network, ChatFormat format) {
        this(network, format, ScoreNormalization.IDENTITY);
    }

    /** As the other constructor, with a normalisation that was found earlier. */
    public TransformerRewardModel(ScalarTransformer network, ChatFormat format, ScoreNormalization normalization) {
        this.network = network;
        this.format = format;
        this.reader = new ExchangeReader(format, network.config().contextLength());
        this.normalization = normalization;
    }

    /**
     * An untrained reward model on a copy of a language model's trunk, usually the supervised one's (InstructGPT, §3.5).
     *
     * @param format the one the language model was trained with
     * @param seed of the head's initial weights
     */
    public static TransformerRewardModel of(
            TransformerPolicy trunk, ChatFormat format, AdamWConfig optimizer, long seed) {
        return new TransformerRewardModel(ScalarTransformer.of(trunk, optimizer, seed), format);
    }

    /** An independent model with the same weights and normalisation and a new optimiser. */
    public TransformerRewardModel copy() {
        return new TransformerRewardModel(network.copy(), format, normalization);
    }

    /** The network behind the scores; its output is before normalisation. */
    public ScalarTransformer network() {
        return network;
    }

    /** The map from the network's output to the score. */
    public ScoreNormalization normalization() {
        return normalization;
    }

    /** Replaces the map from the network's output to the score. */
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

    /** A copy of the network with the normalisation in its weights: its output at the last token is the score itself. */
    public ScalarTransformer toNormalizedNetwork() {
        return toNormalizedNetwork(network.copy());
    }

    private ScalarTransformer toNormalizedNetwork(ScalarTransformer copy) {
        NormalizationFolding.fold(normalization, copy);
        return copy;
    }

    /**
     * A value function that starts from a copy of this model's weights (InstructGPT, §3.5) and shares nothing with it. Its
     * value after the last token of an exchange is the exchange's score, normalisation included.
     *
     * @param optimizer the value function's own
     */
    public TransformerValueFunction toValueFunction(AdamWConfig optimizer) {
        return new TransformerValueFunction(toNormalizedNetwork(network.copy(optimizer)));
    }

    /** As the other {@code toValueFunction}, with the optimiser settings of this model. */
    public TransformerValueFunction toValueFunction() {
        return new TransformerValueFunction(toNormalizedNetwork());
    }

    @Override
    public double[] score(List<Exchange> batch) {
        if (batch.isEmpty()) {
            return new double[0];
        }
        List<TokenSequence> sequences = tokens(batch);
        return normalization.apply(single(network.score(sequences, lastPositions(sequences))));
    }

    @Override
    public int tokenCount(Exchange exchange) {
        return reader.tokens(exchange).length();
    }

    @Override
    public RewardPass forward(List<Exchange> batch) {
        List<TokenSequence> sequences = tokens(batch);
        return new Pass(network.forward(sequences, lastPositions(sequences)), normalization);
    }

    @Override
    public UpdateReport update(double learningRate) {
        return network.update(learningRate);
    }

    private List<TokenSequence> tokens(List<Exchange> batch) {
        return batch.stream().map(reader::tokens).toList();
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

    @Override
    public void close() {
        network.close();
    }

    /** A pass through network and normalisation: score = gain·head + bias, so dHead = gain·dScore. */
    private record Pass(ScalarTransformer.ScalarPass network, ScoreNormalization normalization) implements RewardPass {

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
