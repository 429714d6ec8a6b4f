package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.data.Splits.Parts;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.BytePairTrainer;
import io.github.rlhf4j.transformer.tokenizer.TokenizerFiles;
import io.github.rlhf4j.transformer.training.LearningRatePlan;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.PretrainingTrainer;
import io.github.rlhf4j.transformer.training.SftConfig;
import io.github.rlhf4j.transformer.training.SftTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is learned by maximum likelihood: tokenizer, pretraining, supervised fine-tuning. */
final class LanguageStages {

    private static final double FINAL_RATE = 0.1;
    private static final double WARMUP = 0.05;
    private static final int MOST_HELD_OUT = 200;
    private static final int EVALUATIONS = 10;

    private final Recipe run;

    LanguageStages(Recipe run) {
        this.run = run;
    }

    void trainTokenizer() throws IOException {
        List<String> special = new ArrayList<>(List.of(PackedDocuments.END_OF_TEXT));
        special.addAll(RoleChatFormat.specialTokens());
        Tokenizer tokenizer = new BytePairTrainer(run.config().model().vocabulary())
                .withSpecialTokens(special.toArray(String[]::new))
                .train(documents())
                .tokenizer();
        TokenizerFiles.save(tokenizer, run.directory().tokenizer());
    }

    void pretrain() throws IOException {
        RecipeConfig config = run.config();
        if (config.base().model() != null) {
            learner().train(Stage.PRETRAINING, Path.of(config.base().model()), this::pretrain);
            return;
        }
        Tokenizer tokenizer = run.models().tokenizer();
        RecipeConfig.Model shape = config.model();
        TransformerConfig model = TransformerConfig.gpt2(
                        tokenizer.vocabularySize(), shape.context(), shape.width(), shape.layers(), shape.heads())
                .withDropout(shape.dropout());
        try (TransformerPolicy policy = TransformerPolicy.create(model, tokenizer, AdamWConfig.gpt3(), config.seed())) {
            policy.setRecomputation(config.memory().recomputation());
            pretrain(policy);
            ModelFiles.save(run.directory().model(Stage.PRETRAINING), policy, Optional.empty());
        }
    }

    private void pretrain(TransformerPolicy policy) throws IOException {
        Tokenizer tokenizer = policy.tokenizer();
        try (PretrainingTrainer trainer = new PretrainingTrainer(
                policy,
                PackedDocuments.of(tokenizer, documents()),
                PackedDocuments.of(tokenizer, heldOutDocuments(run.data().documents())),
                pretrainingConfig(run.config()))) {
            run.runner().run(Stage.PRETRAINING, trainer);
        }
    }

    private Learner learner() {
        return new Learner(run);
    }

    private static PretrainingConfig pretrainingConfig(RecipeConfig config) {
        RecipeConfig.Pretraining stage = config.pretraining();
        PretrainingConfig defaults =
                PretrainingConfig.defaults(stage.steps(), config.model().context() - 1);
        return defaults.withMicroBatchTokens(config.memory().tokensOr(defaults.microBatchTokens()))
                .withBatchSize(stage.batch())
                .withZLoss(stage.zLoss())
                .withLearningRate(new LearningRatePlan(stage.learningRate(), FINAL_RATE, WARMUP))
                .withEvaluation(Math.max(1, stage.steps() / EVALUATIONS), 32)
                .withSeed(seed(config, Stage.PRETRAINING));
    }

    void fineTune() throws IOException {
        RecipeConfig config = run.config();
        RecipeConfig.Sft stage = config.sft();
        List<Demonstration> demonstrations =
                trainingDemonstrations(config, run.data().demonstrations());
        long steps = (long) stage.epochs() * Math.max(1, demonstrations.size() / stage.batch());
        SftConfig defaults = SftConfig.defaults(stage.epochs(), config.model().context());
        SftConfig settings = defaults.withMicroBatchTokens(config.memory().tokensOr(defaults.microBatchTokens()))
                .withBatchSize(stage.batch())
                .withLearningRate(new LearningRatePlan(stage.learningRate(), FINAL_RATE, WARMUP))
                .withEvaluateEvery((int) Math.min(Integer.MAX_VALUE, Math.max(1, steps / EVALUATIONS)))
                .withSeed(seed(config, Stage.SFT));
        learner().train(Stage.SFT, run.models().of(Stage.PRETRAINING), policy -> {
            try (SftTrainer trainer = new SftTrainer(
                    policy,
                    run.models().format(),
                    demonstrations,
                    heldOutDemonstrations(run.data().demonstrations()),
                    settings)) {
                run.runner().run(Stage.SFT, trainer);
            }
        });
    }

    /** The seed of a stage, so that no two stages draw the same numbers. */
    static long seed(RecipeConfig config, Stage stage) {
        return RandomKey.of(config.seed()).child(stage.label()).bits();
    }

    /** As the other {@code seed}, of one of the algorithms of a stage. */
    static long seed(RecipeConfig config, Algorithm algorithm) {
        return RandomKey.of(config.seed()).child(algorithm.label()).bits();
    }

    private List<String> documents() {
        return trainingDocuments(run.config(), run.data().documents());
    }

    /** Those that pretraining learns from. */
    static List<String> trainingDocuments(RecipeConfig config, Parts<String> documents) {
        return few(documents.train(), config.pretraining().documents());
    }

    /** Those that pretraining is validated on. */
    static List<String> heldOutDocuments(Parts<String> documents) {
        return few(documents.heldOut(), 10 * MOST_HELD_OUT);
    }

    /** Those that fine-tuning learns from. */
    static List<Demonstration> trainingDemonstrations(RecipeConfig config, Parts<Demonstration> demonstrations) {
        return few(demonstrations.train(), config.sft().demonstrations());
    }

    /** Those that fine-tuning is validated on. */
    static List<Demonstration> heldOutDemonstrations(Parts<Demonstration> demonstrations) {
        return few(demonstrations.heldOut(), MOST_HELD_OUT);
    }

    /** The first {@code most} of them; all, when {@code most} is 0. */
    static <T> List<T> few(List<T> items, int most) {
        return most == 0 || most >= items.size() ? items : items.subList(0, most);
    }
}
