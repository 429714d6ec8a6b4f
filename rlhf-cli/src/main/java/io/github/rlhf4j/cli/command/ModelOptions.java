package io.github.rlhf4j.cli.command;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.cli.recipe.Algorithm;
import io.github.rlhf4j.cli.recipe.BackendSelection;
import io.github.rlhf4j.cli.recipe.ModelFiles;
import io.github.rlhf4j.cli.recipe.RunDirectory;
import io.github.rlhf4j.cli.recipe.Stage;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.backend.ComputeBackend;
import io.github.rlhf4j.transformer.chat.ChatFormats;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.kernels.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which model writes, and how it draws. */
final class ModelOptions {

    private static final double TEMPERATURE_OF_OTHERS = 0.7;

    @Option(
            names = "--model",
            paramLabel = "DIR|FILE",
            description = "A model: a directory, a .gguf file, a .bin file of llama2.c; default: the run's last model.")
    @Nullable
    Path model;

    @Option(names = "--out", paramLabel = "DIR", description = "The run's directory; default: the last of runs/1, 2 …")
    @Nullable
    Path out;

    @Option(names = "--backend", paramLabel = "auto|cpu|cuda", description = "What to compute on.")
    ComputeBackend backend = ComputeBackend.AUTO;

    @Option(names = "--max-tokens", description = "Most tokens of an answer; default ${DEFAULT-VALUE}.")
    int maxTokens = 64;

    @Option(
            names = "--temperature",
            description = "0 takes the likeliest token; default: what the run's PPO drew with, of a --model 0.7.")
    @Nullable
    Double temperature;

    @Option(names = "--top-k", description = "Draw from the k likeliest tokens; 0, the default, is all.")
    int topK;

    @Option(names = "--top-p", description = "Draw from the likeliest tokens of this mass; default ${DEFAULT-VALUE}.")
    double topP = 0.95;

    @Option(names = "--repetition-penalty", description = "1, the default, is none.")
    double repetitionPenalty = 1;

    @Option(names = "--seed", description = "Seed of the draws; default ${DEFAULT-VALUE}.")
    long seed = 1;

    @Option(
            names = "--int8",
            description = "Weights rounded to a byte each: answers one at a time faster, sometimes in other words.")
    boolean int8;

    WeightFormat weights() {
        return int8 ? WeightFormat.INT8 : WeightFormat.FLOAT32;
    }

    TransformerPolicy open() throws IOException {
        Path directory = directory();
        BackendSelection.select(backend);
        return ModelFiles.policy(directory);
    }

    private Path directory() throws IOException {
        if (model != null) {
            return taughtToAnswer(model);
        }
        RunDirectory run = new RunDirectory(RunOptions.lastRunUnless(out));
        if (!Files.isDirectory(run.root())) {
            throw new InputException("there is no directory " + run.root() + "; name a run's directory with --out");
        }
        if (run.holdsRun()) {
            for (Algorithm algorithm : run.storedConfig().algorithms()) {
                if (run.isDone(algorithm)) {
                    return run.model(algorithm);
                }
            }
        }
        if (run.isDone(Stage.SFT)) {
            return run.model(Stage.SFT);
        }
        throw new InputException(run.root() + " holds no model that answers yet; finish its sft or ppo stage first");
    }

    /** Not what a run has only pretrained: that has seen no question yet, though its tokenizer knows the turns. */
    private static Path taughtToAnswer(Path model) {
        Path absolute = model.toAbsolutePath().normalize();
        if (absolute.getNameCount() > 2) {
            RunDirectory run = new RunDirectory(absolute.getParent().getParent());
            if (run.holdsRun() && run.model(Stage.PRETRAINING).equals(absolute)) {
                throw new InputException(model + " was pretrained only and never taught to answer; name the model of a"
                        + " later stage: " + run.model(Stage.SFT) + " or " + run.model(Stage.PPO));
            }
        }
        return model;
    }

    /** A policy is aligned at the temperature that it was trained at, and not at another. */
    private double trainedTemperature() throws IOException {
        if (model != null) {
            return TEMPERATURE_OF_OTHERS;
        }
        return new RunDirectory(RunOptions.lastRunUnless(out))
                .storedConfig()
                .ppo()
                .temperature();
    }

    /**
     * How the model converses: by the chat template of its files, else by the turns that runs of rlhf teach.
     *
     * @throws InputException when the model does not know turns, or its template cannot be used
     */
    ChatFormat format(Tokenizer tokenizer) throws IOException {
        try {
            return ChatFormats.of(ModelSource.open(directory()), tokenizer);
        } catch (IllegalArgumentException e) {
            throw new InputException(
                    "this model was not trained to answer: " + e.getMessage()
                            + ". \"rlhf generate --complete\" goes on with a text instead",
                    e);
        }
    }

    /** @throws InputException when a number is out of its range */
    Sampling sampling(ChatFormat format) throws IOException {
        try {
            return new Sampling(
                    maxTokens,
                    temperature == null ? trainedTemperature() : temperature,
                    topK,
                    topP,
                    repetitionPenalty,
                    format.stopTokens(),
                    List.of());
        } catch (IllegalArgumentException e) {
            throw new InputException(String.valueOf(e.getMessage()), e);
        }
    }
}
