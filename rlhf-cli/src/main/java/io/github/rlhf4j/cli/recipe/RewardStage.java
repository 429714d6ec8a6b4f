package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.reward.training.RewardModelTrainer;
import io.github.rlhf4j.transformer.ScalarTransformer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Learns the reward from the comparisons, on the supervised model's trunk (InstructGPT, §3.5). */
final class RewardStage {

    private static final int MOST_VALIDATED = 100;
    private static final int MOST_CENTRED_ON = 512;
    private static final double FINAL_RATE = 0.1;

    private final Recipe run;

    RewardStage(Recipe run) {
        this.run = run;
    }

    void train() throws IOException {
        PreferenceDataset rankings = PreferenceFiles.read(run.directory().comparisons());
        PreferenceDataset unseen = first(PreferenceFiles.read(run.directory().unseenComparisons()), MOST_VALIDATED);
        try (TransformerPolicy supervised = ModelFiles.policy(
                        run.models().of(Stage.SFT),
                        AdamWConfig.gpt3(),
                        run.config().lora().base());
                TransformerRewardModel reward = create(supervised);
                RewardModelTrainer trainer =
                        new RewardModelTrainer(reward, rankings, unseen, config(rankings.size()))) {
            reward.network().setRecomputation(run.config().memory().recomputation());
            run.runner().run(Stage.REWARD, trainer);
            center(reward, demonstrations());
            save(reward, supervised.tokenizer());
        }
    }

    private void save(TransformerRewardModel reward, Tokenizer tokenizer) throws IOException {
        Path model = run.directory().model(Stage.REWARD);
        Path adapters = run.directory().adapters(Stage.REWARD);
        Path start = run.models().of(Stage.SFT);
        Optional<String> template = Optional.of(run.models().chatTemplate());
        if (reward.network().lora() != null) {
            ModelFiles.saveAdapters(adapters, start, reward.network()::saveLora);
        }
        if (!run.config().lora().int8()) {
            ModelFiles.save(model, reward, tokenizer, template);
            return;
        }
        try (TransformerPolicy whole = ModelFiles.policy(start); // not rounded
                ScalarTransformer trunk = ScalarTransformer.of(whole, AdamWConfig.gpt3(), 0);
                ScalarTransformer adapted = trunk.loadLora(adapters, AdamWConfig.gpt3())) {
            ModelFiles.save(
                    model,
                    new TransformerRewardModel(adapted, run.models().format(), reward.normalization()),
                    tokenizer,
                    template);
        }
    }

    private TransformerRewardModel create(TransformerPolicy supervised) {
        long seed = LanguageStages.seed(run.config(), Stage.REWARD);
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? new TransformerRewardModel(
                        ScalarTransformer.ofLora(supervised, lora.of(supervised.config()), AdamWConfig.gpt3(), seed),
                        run.models().format())
                : TransformerRewardModel.of(supervised, run.models().format(), AdamWConfig.gpt3(), seed);
    }

    private RewardModelConfig config(int rankings) {
        RecipeConfig.Reward stage = run.config().reward();
        RewardModelConfig defaults =
                RewardModelConfig.instructGpt(rankings, LanguageStages.seed(run.config(), Stage.REWARD));
        RewardModelConfig settings = defaults.withMicroBatchTokens(
                        run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(stage.epochs())
                .withRankingsPerBatch(stage.batch());
        long steps = settings.totalSteps(rankings);
        double rate = stage.learningRate();
        return settings.withValidateEvery((int) Math.max(1, steps / 5))
                .withSchedule(new LearningRateSchedule.WarmupCosine(rate, rate * FINAL_RATE, steps / 20, steps));
    }

    private void center(TransformerRewardModel reward, List<Exchange> demonstrations) {
        if (demonstrations.isEmpty()) {
            run.monitor().onNote("no demonstration's last prompt fits model.context, so the reward is not centred");
        } else {
            reward.centerOn(demonstrations);
        }
    }

    /** Human demonstrations, whose mean score is to be 0 (InstructGPT, §3.5); those whose prompt fills the window not. */
    private List<Exchange> demonstrations() {
        ReadableLength readable = run.models().readable();
        return run.data().demonstrations().train().stream()
                .map(Demonstration::lastExchange)
                .filter(readable::hasRoom)
                .limit(MOST_CENTRED_ON)
                .map(readable::fit)
                .toList();
    }

    private static PreferenceDataset first(PreferenceDataset dataset, int most) {
        List<Ranking> first = new ArrayList<>();
        for (int i = 0; i < Math.min(most, dataset.size()); i++) {
            first.add(dataset.get(i));
        }
        return PreferenceDataset.of(first);
    }
}
