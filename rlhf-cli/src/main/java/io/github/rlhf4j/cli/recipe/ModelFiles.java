package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.Checkpoints;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.chat.ChatFormats;
import io.github.rlhf4j.transformer.files.ModelDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The finished models of a run: Hugging Face directories, written as a whole and verified when read. */
public final class ModelFiles {

    private ModelFiles() {}

    /** @param template by which the model converses, if it was taught to */
    static void save(Path directory, TransformerPolicy policy, Optional<String> template) throws IOException {
        Checkpoints.write(directory, fresh -> {
            policy.save(fresh);
            saveTemplate(fresh, template);
        });
    }

    private static void saveTemplate(Path directory, Optional<String> template) throws IOException {
        if (template.isPresent()) {
            ModelDirectory.saveChatTemplate(directory, template.get());
        }
    }

    /** Writes a reward model with its normalisation in the weights, so that whoever reads it gets the same scores. */
    static void save(Path directory, TransformerRewardModel reward, Tokenizer tokenizer, Optional<String> template)
            throws IOException {
        Checkpoints.write(directory, fresh -> {
            reward.save(fresh, tokenizer);
            saveTemplate(fresh, template);
        });
    }

    /** Low-rank adapters by themselves, as PEFT reads them. */
    interface Adapters {
        /** Writes them to a directory, with the name of the model they are on where PEFT can open that. */
        void save(Path directory, @Nullable String base) throws IOException;
    }

    /** Writes adapters on a model to a directory that is replaced as a whole. PEFT opens models in directories only. */
    static void saveAdapters(Path directory, Path base, Adapters adapters) throws IOException {
        Checkpoints.write(directory, fresh -> adapters.save(fresh, Files.isDirectory(base) ? base.toString() : null));
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
     * Finds what would keep a reward model from being asked.
     *
     * @param context tokens of the sequences that it will be asked about
     * @throws InputException as {@link #source}, and when it is a language model, has too short a context, or a template that
     *     cannot be used
     */
    static void requireRewardModel(Path path, int context) {
        ModelSource files = source(path);
        if (!files.hasScoreHead()) {
            throw new InputException(path + " is a language model, which scores no texts; name a reward model, a"
                    + " …ForSequenceClassification with the head " + ModelDirectory.SCORE_HEAD);
        }
        if (files.config().contextLength() < context) {
            throw new InputException("the reward model " + path + " attends to "
                    + files.config().contextLength() + " tokens, fewer than model.context (" + context
                    + "); lower it: --set model.context=" + files.config().contextLength());
        }
        reading(path, () -> format(files));
    }

    private static ChatFormat format(ModelSource files) throws IOException {
        Tokenizer tokenizer = files.tokenizer();
        return ChatFormats.of(ChatFormats.templateFor(files, tokenizer), tokenizer);
    }

    /**
     * The tokenizer that a run has trained.
     *
     * @throws InputException as {@link #source}
     */
    static Tokenizer tokenizer(Path file) {
        return reading(file, () -> TokenizerFiles.load(file));
    }

    /** A text file of the user's. */
    static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            String reason = e instanceof NoSuchFileException ? "there is no such file" : e.getMessage();
            throw new InputException("cannot read " + file + ": " + reason, e);
        }
    }

    /**
     * Reads a language model, of whatever format.
     *
     * @throws InputException when it is missing, damaged or altered, naming the file
     */
    public static TransformerPolicy policy(Path directory, AdamWConfig optimizer) {
        return policy(directory, optimizer, WeightFormat.FLOAT32);
    }

    /** As the other {@code policy}, with the weights of linear layers held in this format. */
    static TransformerPolicy policy(Path directory, AdamWConfig optimizer, WeightFormat weights) {
        return reading(directory, () -> {
            ModelSource files = verified(directory);
            if (files.hasScoreHead()) {
                throw new IOException("it is a reward model, which scores texts and cannot write any");
            }
            return TransformerPolicy.load(directory, optimizer, weights);
        });
    }

    /** As {@link #policy}, to generate with. */
    public static TransformerPolicy policy(Path directory) {
        return policy(directory, AdamWConfig.gpt3());
    }

    /**
     * Reads a reward model, of a run or of somebody else, which reads exchanges by its own chat template and tokenizer; errors as
     * {@link #policy}, and when it is a language model.
     */
    public static TransformerRewardModel reward(Path directory, AdamWConfig optimizer) {
        return reading(directory, () -> {
            ModelSource files = verified(directory);
            return TransformerRewardModel.load(directory, format(files), optimizer);
        });
    }

    /** What a manifest lists must be what was written; a directory from elsewhere has none and is taken as it is. */
    private static ModelSource verified(Path directory) throws IOException {
        if (Files.exists(directory.resolve("manifest.json"))) {
            Checkpoints.verifyWritten(directory);
        }
        return ModelSource.open(directory);
    }

    /** Reads something of a model. */
    interface Reader<T> {
        /** The result. */
        T read() throws IOException;
    }

    /** What a reader reads, its failure as an {@link InputException} that names the model. */
    static <T> T reading(Path directory, Reader<T> reader) {
        try {
            return reader.read();
        } catch (IOException | IllegalArgumentException e) {
            throw new InputException("cannot read the model " + directory + ": " + e.getMessage(), e);
        }
    }
}
