package io.github.rlhf4j.reward;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

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

    /**
     * Writes a directory that Hugging Face transformers loads as it is, as a {@code …ForSequenceClassification} with one label;
     * adapters are merged. The normalisation is in the weights: what transformers computes is the score. The exception is
     * a bias of a model with RMSNorm, where no weight can hold it: it is in {@code normalization.json}, which {@link #load} reads
     * and transformers does not, so that scores there are lower or higher by one number, and no preference is another.
     *
     * @param tokenizer the model's
     */
    public void save(Path directory, Tokenizer tokenizer) throws IOException {
        try (ScalarTransformer folded = network.copy()) {
            double left = NormalizationFolding.fold(normalization, folded);
            ModelDirectory.save(directory, folded.config(), folded.parameters(), tokenizer);
            Path file = directory.resolve(NORMALIZATION_FILE);
            if (left == 0) {
                Files.deleteIfExists(file);
            } else {
                JSON.writeValue(file.toFile(), new ScoreNormalization(1, left));
            }
        }
    }

    /**
     * Reads a model that {@link #save} or Hugging Face transformers wrote.
     *
     * @param format by which it reads exchanges, in the tokens of its own tokenizer
     * @throws IOException naming the file and what is wrong with it, or when it is a language model
     */
    public static TransformerRewardModel load(Path path, ChatFormat format, AdamWConfig optimizer) throws IOException {
        ModelSource files = ModelSource.open(path);
        if (!files.hasScoreHead()) {
            throw new IOException(path + " is a language model, which scores no texts; a reward model is a"
                    + " …ForSequenceClassification with the head " + ModelDirectory.SCORE_HEAD);
        }
        Path file = path.resolve(NORMALIZATION_FILE);
        ScoreNormalization normalization = Files.exists(file) ? readNormalization(file) : ScoreNormalization.IDENTITY;
        ScalarTransformer network = ScalarTransformer.allocate(files.config(), optimizer, DataType.FLOAT);
        try {
            files.readInto(network.parameters());
        } catch (IOException | RuntimeException e) {
            network.close();
            throw e;
        }
        return new TransformerRewardModel(network, format, normalization);
    }

    /**
     * A value function that starts from a copy of this model's weights (InstructGPT, §3.5) and shares nothing with it. Its
     * value after the last token of an exchange is the exchange's score, normalisation included.
     *
     * @param optimizer the value function's own
     */
    public TransformerValueFunction toValueFunction(AdamWConfig optimizer) {
        return toValueFunction(network.copy(optimizer));
    }

    /**
     * As the other {@code toValueFunction}, of low-rank adapters on this model's memory, which does not change, and a copy of its
     * head. Close the value function before this model.
     *
     * @param optimizer the value function's own
     * @param seed of the initial adapters
     * @throws IllegalStateException when this model has adapters itself
     */
    public TransformerValueFunction toLoraValueFunction(LoraConfig lora, AdamWConfig optimizer, long seed) {
        return toValueFunction(network.withLora(lora, optimizer, seed));
    }

    private TransformerValueFunction toValueFunction(ScalarTransformer start) {
        return new TransformerValueFunction(start, NormalizationFolding.fold(normalization, start));
    }

    /** As the other {@code toValueFunction}, with the optimiser settings of this model. */
    public TransformerValueFunction toValueFunction() {
        return toValueFunction(network.copy());
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
        ScoreNormalization saved = readNormalization(directory.resolve(NORMALIZATION_FILE));
        network.restoreState(directory.resolve(NETWORK_DIRECTORY));
        normalization = saved;
    }

    private static ScoreNormalization readNormalization(Path file) throws IOException {
        try {
            return JSON.readValue(file.toFile(), ScoreNormalization.class);
        } catch (IOException e) {
            throw new IOException(file + " does not hold a gain and a bias: " + e.getMessage(), e);
        }
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
