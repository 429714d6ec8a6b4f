package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.InputException;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.transformer.chat.ChatFormats;
import io.github.rlhf4j.transformer.files.LoraDirectory;
import io.github.rlhf4j.transformer.files.ModelSource;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The models of a run, those that stages leave and those that exist already, and what they have in common: tokenizer, chat
 * template, the most that they read. Files are opened once, when something of them is first asked for.
 */
final class RunModels {

    private final RecipeConfig config;
    private final RunDirectory directory;
    private @Nullable ModelSource given;
    private @Nullable Tokenizer tokenizer;
    private @Nullable String chatTemplate;
    private @Nullable ChatFormat format;
    private boolean unchanged;

    RunModels(RecipeConfig config, RunDirectory directory) {
        this.config = config;
        this.directory = directory;
    }

    /** The model that a stage leaves, or that stands for it. */
    Path of(Stage stage) {
        if (!config.skips(stage)) {
            return directory.model(stage);
        }
        return switch (stage) {
            case PRETRAINING -> Path.of(Objects.requireNonNull(config.base().model()));
            case SFT -> of(Stage.PRETRAINING);
            case REWARD -> Path.of(Objects.requireNonNull(config.base().rewardModel()));
            case TOKENIZER, COMPARISONS, PPO, EVALUATION -> throw new IllegalArgumentException(stage + " has no model");
        };
    }

    /** The model that the run begins with; null where it makes its own. */
    private @Nullable ModelSource given() {
        String base = config.base().model();
        if (given == null && base != null) {
            given = ModelFiles.source(Path.of(base));
        }
        return given;
    }

    /** The shape of the model that the run begins with; null where it makes its own. */
    @Nullable
    TransformerConfig givenShape() {
        ModelSource files = given();
        return files == null ? null : files.config();
    }

    /** The given model's, or the one that the first stage has trained. */
    Tokenizer tokenizer() {
        Tokenizer known = tokenizer;
        if (known == null) {
            ModelSource files = given();
            known = files == null
                    ? ModelFiles.tokenizer(directory.tokenizer())
                    : ModelFiles.reading(
                            Path.of(Objects.requireNonNull(config.base().model())), files::tokenizer);
            tokenizer = known;
        }
        return known;
    }

    /** How the run's models converse, as a template: what is saved with them. */
    String chatTemplate() {
        String known = chatTemplate;
        if (known == null) {
            known = readTemplate();
            chatTemplate = known;
        }
        return known;
    }

    private String readTemplate() {
        String own = config.base().chatTemplate();
        if (own != null) {
            return ModelFiles.text(Path.of(own));
        }
        ModelSource files = given();
        return files == null
                ? ChatFormats.templateFor(tokenizer())
                : ModelFiles.reading(
                        Path.of(Objects.requireNonNull(config.base().model())),
                        () -> ChatFormats.templateFor(files, tokenizer()));
    }

    /** How the run's models converse. */
    ChatFormat format() {
        ChatFormat known = format;
        if (known == null) {
            try {
                known = ChatFormats.of(chatTemplate(), tokenizer());
            } catch (IllegalArgumentException e) {
                throw new InputException(
                        "the chat template of " + config.base().model() + " cannot be used: " + e.getMessage()
                                + ". Give another in a file: --chat-template FILE",
                        e);
            }
            format = known;
        }
        return known;
    }

    /** What the run's models read at most. */
    ReadableLength readable() {
        return new ReadableLength(tokenizer(), format(), config.model().context());
    }

    /**
     * Finds what would keep the given models from being used, before anything is written.
     *
     * @throws InputException naming the model and what is wrong with it or with a setting for it
     */
    void requireUsable() {
        ModelSource files = given();
        if (files != null && files.config().contextLength() < config.model().context()) {
            throw new InputException("model.context is " + config.model().context() + ", but "
                    + config.base().model()
                    + " attends to " + files.config().contextLength() + " tokens; lower it: --set model.context="
                    + files.config().contextLength());
        }
        String reward = config.base().rewardModel();
        if (reward != null) {
            ModelFiles.requireRewardModel(Path.of(reward), config.model().context());
        }
        if (files != null) {
            if (files.hasScoreHead()) {
                throw new InputException(config.base().model()
                        + " is a reward model, which cannot write; name a language model with --model, and this one with"
                        + " --reward-model");
            }
            format(); // a template that cannot be used must not be found later
        }
        requireTargets();
    }

    private void requireTargets() {
        if (config.lora().isUsed()) {
            try {
                TransformerConfig shape = givenShape();
                TransformerConfig model = shape == null ? config.model().shape() : shape;
                LoraDirectory.requireLayers(model, config.lora().of(model));
            } catch (IllegalArgumentException e) {
                throw new InputException("lora.targets: " + e.getMessage(), e);
            }
        }
    }

    /** @throws InputException naming the file of a given model that is not what it was when the run began */
    void requireUnchanged() throws IOException {
        if (!unchanged) {
            BaseFiles.requireUnchanged(config.base(), directory.baseDigests());
            unchanged = true;
        }
    }
}
