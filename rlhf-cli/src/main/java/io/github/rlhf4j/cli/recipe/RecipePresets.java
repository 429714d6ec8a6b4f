package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.transformer.backend.ComputeBackend;
import java.util.List;
import java.util.Map;

/** Settings of whole runs: {@link #standard()} fits 2 cores in 20 minutes, {@link #quick()} in 2. */
public final class RecipePresets {

    /** Tokens of a sequence on a model that exists, whose own context is often far longer than what is trained on. */
    private static final int CONTEXT_ON_MODEL = 512;

    private RecipePresets() {}

    /**
     * Twenty minutes on 2 cores. Where it departs from the papers' defaults: two epochs per rollout instead of four, as a
     * rollout is cheap for so small a model; a fixed β, small beside a learned reward of several units, as the leash is
     * reported and not steered. At a quarter of the rate and twice the β of earlier versions (2e-4, 0.05) the same share of the
     * taste is met at a third of the KL (docs/algorithms.md). A missing stop scores −3, below what the reward model gives any answer that ends. Answers are
     * drawn at temperature 0.3: at 0.7 a model of this size copies the word that it explains only half the time.
     */
    public static RecipeConfig standard() {
        return standard(1, ComputeBackend.AUTO, 100);
    }

    /** As {@link #standard()}, with what decides neither what is learned nor how it is judged. */
    static RecipeConfig standard(long seed, ComputeBackend backend, int checkpointEvery) {
        return new RecipeConfig(
                seed,
                backend,
                0.05,
                checkpointEvery,
                RecipeConfig.Memory.defaults(),
                RecipeConfig.Data.dictionary(),
                RecipeConfig.Base.none(),
                RecipeConfig.Lora.none(),
                List.of(Algorithm.PPO),
                new RecipeConfig.Model(4096, 128, 4, 4, 96, 0),
                new RecipeConfig.Pretraining(0, 2300, 24, 2e-3, 0),
                new RecipeConfig.Sft(24_000, 1, 32, 1e-3),
                new RecipeConfig.Comparisons(9000, 4, 200, 0.1, 56, 0.3),
                new RecipeConfig.Reward(2, 16, 5e-4),
                new RecipeConfig.Ppo(200, 64, 4, 32, 2, 5e-5, 2e-4, 0.1, 0, 0, 10_000, -3, 56, 0.3, false, 0),
                new RecipeConfig.Dpo(1, 16, 5e-5, 0.5),
                new RecipeConfig.Evaluation(256, 16));
    }

    /** A real run of the same shape in less than two minutes: a smaller model that sees less of everything. */
    public static RecipeConfig quick() {
        RecipeConfig full = standard();
        return new RecipeConfig(
                full.seed(),
                full.backend(),
                full.heldOutShare(),
                full.checkpointEvery(),
                full.memory(),
                full.data(),
                full.base(),
                full.lora(),
                full.algorithms(),
                new RecipeConfig.Model(1024, 64, 2, 2, 96, 0),
                new RecipeConfig.Pretraining(30_000, 700, 16, 4e-3, 0),
                new RecipeConfig.Sft(8_000, 1, 32, 2e-3),
                new RecipeConfig.Comparisons(300, 4, 60, 0.1, 48, 0.3),
                new RecipeConfig.Reward(1, 16, 1e-3),
                new RecipeConfig.Ppo(25, 32, 4, 16, 2, 3e-4, 1e-3, 0.03, 0, 0, 10_000, -3, 48, 0.3, false, 0),
                new RecipeConfig.Dpo(1, 16, 2e-4, 0.1),
                new RecipeConfig.Evaluation(48, 16));
    }

    /**
     * A run on a model that exists: no pretraining, adapters, and so little of everything that a model of 135 million weights
     * is aligned in an hour or two on 2 cores, and a small one in minutes. Answers are drawn at temperature 1, from the
     * distribution that is optimised.
     *
     * @param model as {@link RecipeConfig.Base#model}
     */
    public static RecipeConfig onModel(String model) {
        return onModel(
                model,
                new RecipeConfig.Sft(2000, 1, 16, 3e-4),
                new RecipeConfig.Comparisons(300, 4, 60, 0.1, 64, 1),
                new RecipeConfig.Reward(1, 8, 3e-4),
                new RecipeConfig.Ppo(40, 32, 4, 16, 2, 2e-4, 4e-4, 0.05, 0, 0, 10_000, -3, 64, 1, false, 0),
                new RecipeConfig.Evaluation(48, 8));
    }

    /** As {@link #onModel}, in a quarter of the time or less. */
    public static RecipeConfig quickOnModel(String model) {
        return onModel(
                model,
                new RecipeConfig.Sft(320, 1, 16, 3e-4),
                new RecipeConfig.Comparisons(60, 4, 20, 0.1, 48, 1),
                new RecipeConfig.Reward(1, 8, 3e-4),
                new RecipeConfig.Ppo(8, 16, 4, 16, 2, 2e-4, 4e-4, 0.05, 0, 0, 10_000, -3, 48, 1, false, 0),
                new RecipeConfig.Evaluation(16, 4));
    }

    /** These defaults for a run that a stage begins: the given model stands for what the stages before would have trained. */
    public static RecipeConfig beginningAt(Stage stage, RecipeConfig defaults) {
        return ConfigFiles.set(
                defaults,
                stage == Stage.PRETRAINING
                        ? Map.of("pretraining.steps", "100")
                        : stage.ordinal() > Stage.SFT.ordinal() ? Map.of("sft.epochs", "0") : Map.of());
    }

    private static RecipeConfig onModel(
            String file,
            RecipeConfig.Sft sft,
            RecipeConfig.Comparisons comparisons,
            RecipeConfig.Reward reward,
            RecipeConfig.Ppo ppo,
            RecipeConfig.Evaluation evaluation) {
        RecipeConfig full = standard();
        return new RecipeConfig(
                full.seed(),
                full.backend(),
                full.heldOutShare(),
                full.checkpointEvery(),
                full.memory(),
                full.data(),
                new RecipeConfig.Base(file, null, null),
                new RecipeConfig.Lora(16, 32, 0, List.of(), false),
                full.algorithms(),
                new RecipeConfig.Model(
                        full.model().vocabulary(),
                        full.model().width(),
                        full.model().layers(),
                        full.model().heads(),
                        CONTEXT_ON_MODEL,
                        full.model().dropout()),
                new RecipeConfig.Pretraining(0, 0, 8, 1e-4, 0),
                sft,
                comparisons,
                reward,
                ppo,
                new RecipeConfig.Dpo(1, 8, 3e-4, 0.1),
                evaluation);
    }
}
