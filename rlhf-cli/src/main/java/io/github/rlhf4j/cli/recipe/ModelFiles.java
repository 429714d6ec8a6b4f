package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import org.nd4j.linalg.api.buffer.DataType;

/** The finished models of a run: Hugging Face directories, written as a whole and verified when read. */
public final class ModelFiles {

    private ModelFiles() {}

    static void save(Path directory, TransformerPolicy policy) throws IOException {
        Checkpoints.write(directory, policy::save);
    }

    /** Writes a reward model with its normalisation in the weights, so that whoever reads it gets the same scores. */
    static void save(Path directory, TransformerRewardModel reward, Tokenizer tokenizer) throws IOException {
        try (ScalarTransformer network = reward.toNormalizedNetwork()) {
            Checkpoints.write(
                    directory, fresh -> ModelDirectory.save(fresh, network.config(), network.parameters(), tokenizer));
        }
    }

    /**
     * Opens a model of whatever format, without its weights.
     *
     * @throws InputException when it is missing, damaged or altered, naming the file
     */
    public static ModelSource source(Path path) {
        return reading(path, () -> verified(path));
    }

    /**
     * Reads a language model, of whatever format.
     *
     * @throws InputException when it is missing, damaged or altered, naming the file
     */
    public static TransformerPolicy policy(Path directory, AdamWConfig optimizer) {
        return reading(directory, () -> {
            ModelSource files = verified(directory);
            if (files.hasScoreHead()) {
                throw new IOException("it is a reward model, which scores texts and cannot write any");
            }
            return TransformerPolicy.load(directory, optimizer);
        });
    }

    /** As {@link #policy}, to generate with. */
    public static TransformerPolicy policy(Path directory) {
        return policy(directory, AdamWConfig.gpt3());
    }

    /** Reads a reward model of a run; errors as {@link #policy}. */
    public static TransformerRewardModel reward(Path directory, AdamWConfig optimizer) {
        return reading(directory, () -> {
            ModelSource files = verified(directory);
            ScalarTransformer network = ScalarTransformer.allocate(files.config(), optimizer, DataType.FLOAT);
            files.readInto(network.parameters());
            return new TransformerRewardModel(network, new RoleChatFormat(files.tokenizer()));
        });
    }

    /** What a manifest lists must be what was written; a directory from elsewhere has none and is taken as it is. */
    private static ModelSource verified(Path directory) throws IOException {
        if (java.nio.file.Files.exists(directory.resolve("manifest.json"))) {
            Checkpoints.verifyWritten(directory);
        }
        return ModelSource.open(directory);
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
