package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Goes on with a model in one stage: all its weights, or low-rank adapters on them; and leaves the result. */
final class Learner {

    private final Recipe run;

    Learner(Recipe run) {
        this.run = run;
    }

    /** What a stage does with the model that it trains. */
    interface Training {
        /** Trains it. */
        void train(TransformerPolicy policy) throws IOException;
    }

    /** Reads a model, has it trained, and saves it as the stage's. */
    void train(Stage stage, Path start, Training training) throws IOException {
        RecipeConfig config = run.config();
        try (TransformerPolicy model =
                ModelFiles.policy(start, AdamWConfig.gpt3(), config.lora().base())) {
            model.setRecomputation(config.memory().recomputation());
            if (!config.lora().isUsed()) {
                training.train(model);
                save(stage, start, model);
                return;
            }
            LoraConfig lora = config.lora().of(model.config());
            try (TransformerPolicy adapted =
                    model.withLora(lora, AdamWConfig.gpt3(), LanguageStages.seed(config, stage))) {
                training.train(adapted);
                save(stage, start, adapted);
            }
        }
    }

    private void save(Stage stage, Path start, TransformerPolicy policy) throws IOException {
        save(policy, start, run.directory().model(stage), run.directory().adapters(stage));
    }

    /** Saves what an algorithm has optimised. */
    void save(Algorithm algorithm, TransformerPolicy policy) throws IOException {
        save(
                policy,
                run.models().of(Stage.SFT),
                run.directory().model(algorithm),
                run.directory().adapters(algorithm));
    }

    /** The adapters first, for the model marks the stage as done. */
    private void save(TransformerPolicy policy, Path start, Path model, Path adapters) throws IOException {
        if (policy.lora() != null) {
            ModelFiles.saveAdapters(adapters, start, policy::saveLora);
        }
        if (policy.lora() == null || !run.config().lora().int8()) {
            ModelFiles.save(model, policy, Optional.of(run.models().chatTemplate()));
            return;
        }
        try (TransformerPolicy whole = ModelFiles.policy(start); // not rounded
                TransformerPolicy adapted = whole.loadLora(adapters, AdamWConfig.gpt3())) {
            ModelFiles.save(model, adapted, Optional.of(run.models().chatTemplate()));
        }
    }
}
