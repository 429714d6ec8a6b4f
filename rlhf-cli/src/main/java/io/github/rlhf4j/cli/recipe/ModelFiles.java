package io.github.rlhf4j.cli.recipe;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.reward.ScoreNormalization;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import org.nd4j.linalg.api.buffer.DataType;

/** The finished models of a run: Hugging Face directories, written as a whole and verified when read. */
public final class ModelFiles {

    private static final String NORMALIZATION = "normalization.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private ModelFiles() {}

    /**
     * A reward model with the network it reads with.
     *
     * @param scorer scores exchanges
     * @param network trunk and head; closed with this
     */
    public record LoadedReward(TransformerRewardModel scorer, ScalarTransformer network) implements AutoCloseable {

        @Override
        public void close() {
            network.close();
        }
    }

    static void save(Path directory, TransformerPolicy policy) throws IOException {
        Checkpoints.write(
                directory,
                fresh -> ModelDirectory.save(fresh, policy.config(), policy.parameters(), policy.tokenizer()));
    }

    static void save(Path directory, LoadedReward reward, Tokenizer tokenizer) throws IOException {
        Checkpoints.write(directory, fresh -> {
            ModelDirectory.save(fresh, reward.network().config(), reward.network().parameters(), tokenizer);
            JSON.writeValue(
                    fresh.resolve(NORMALIZATION).toFile(), reward.scorer().normalization());
        });
    }

    /**
     * Reads a language model.
     *
     * @throws InputException when it is missing, damaged or altered, naming the file
     */
    public static TransformerPolicy policy(Path directory, AdamWConfig optimizer) {
        return reading(directory, () -> {
            ModelDirectory files = verified(directory);
            if (files.hasScoreHead()) {
                throw new IOException("it is a reward model, which scores texts and cannot write any");
            }
            TransformerPolicy policy = TransformerPolicy.create(files.config(), files.tokenizer(), optimizer, 0);
            files.readInto(policy.parameters());
            return policy;
        });
    }

    /** As {@link #policy}, to generate with. */
    public static TransformerPolicy policy(Path directory) {
        return policy(directory, AdamWConfig.gpt3());
    }

    /** Reads a reward model of a run; errors as {@link #policy}. */
    public static LoadedReward reward(Path directory, AdamWConfig optimizer) {
        return reading(directory, () -> {
            ModelDirectory files = verified(directory);
            ScalarTransformer network = ScalarTransformer.allocate(files.config(), optimizer, DataType.FLOAT);
            files.readInto(network.parameters());
            ChatFormat format = new RoleChatFormat(files.tokenizer());
            TransformerRewardModel scorer = TransformerRewardModel.of(network, format);
            scorer.setNormalization(
                    JSON.readValue(directory.resolve(NORMALIZATION).toFile(), ScoreNormalization.class));
            return new LoadedReward(scorer, network);
        });
    }

    /** A directory with a manifest must be what was written; one from elsewhere has none and is taken as it is. */
    private static ModelDirectory verified(Path directory) throws IOException {
        if (java.nio.file.Files.exists(directory.resolve("manifest.json"))) {
            Checkpoints.verify(directory);
        }
        return ModelDirectory.open(directory);
    }

    private interface Reader<T> {
        T read() throws IOException;
    }

    private static <T> T reading(Path directory, Reader<T> reader) {
        try {
            return reader.read();
        } catch (IOException e) {
            throw new InputException("cannot read the model " + directory + ": " + e.getMessage(), e);
        }
    }
}
