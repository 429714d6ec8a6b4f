package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Optimises the supervised policy against the learned reward, on a KL leash to where it started. */
final class PpoStage {

    private final Recipe run;
    private final RecipeConfig.Ppo config;
    /** What the hidden taste, which PPO never sees, thinks of the last rollout. */
    private final Map<String, Double> gold = new LinkedHashMap<>();

    PpoStage(Recipe run) {
        this.run = run;
        this.config = run.config().ppo();
    }

    void optimize() throws IOException {
        AdamWConfig optimizer = AdamWConfig.policyOptimization();
        try (TransformerPolicy reference = ModelFiles.policy(run.directory().model(Stage.SFT), optimizer);
                TransformerPolicy policy = reference.copy(optimizer);
                TransformerRewardModel reward =
                        ModelFiles.reward(run.directory().model(Stage.REWARD), optimizer);
                TransformerValueFunction values = reward.toValueFunction(optimizer)) {
            ChatFormat format = LanguageStages.format(policy);
            List<Prompt> prompts = run.data().prompts().train().stream()
                    .map(conversation -> Prompt.of(conversation, format))
                    .filter(prompt -> prompt.tokens().length() + config.maxNewTokens() <= policy.contextLength())
                    .toList();
            PpoTrainer ppo = PpoTrainer.builder()
                    .config(settings(format))
                    .policy(policy)
                    .reference(reference)
                    .rewardModel(new ReadableLength(policy.tokenizer(), format, policy.contextLength()).reading(reward))
                    .critic(Critic.separate(values))
                    .prompts(prompts)
                    .onRollout((iteration, samples) -> judge(samples))
                    .build();
            try (MeteredTrainer trainer = new MeteredTrainer(ppo, () -> gold)) {
                run.runner().run(Stage.PPO, trainer);
                ModelFiles.save(run.directory().model(Stage.PPO), policy);
            }
        }
    }

    private PpoConfig settings(ChatFormat format) {
        KlController kl = config.klTarget() == 0
                ? new KlController.Fixed(config.klCoefficient())
                : new KlController.Adaptive(
                        config.klCoefficient(), config.klTarget(), config.klHorizon(), KlUnit.PER_SEQUENCE);
        return PpoConfig.of(
                        config.iterations(),
                        new BatchPlan(config.rollout(), config.minibatch(), config.minibatch()),
                        Sampling.exact(config.maxNewTokens(), config.temperature(), format.stopTokens()),
                        LanguageStages.seed(run.config(), Stage.PPO))
                .withEpochs(config.epochs())
                .withRewards(RewardSettings.defaults()
                        .withKl(kl)
                        .withMissingStop(new MissingStop.FixedScore(config.missingStopScore())))
                .withRates(linear(config.learningRate()), linear(config.valueLearningRate()));
    }

    private LearningRateSchedule linear(double peak) {
        return new LearningRateSchedule.WarmupLinear(peak, 0, config.iterations());
    }

    private void judge(List<RolloutSample> samples) {
        GlossTaste taste = run.data().taste();
        if (taste == null) {
            return;
        }
        double score = 0;
        int met = 0;
        for (RolloutSample sample : samples) {
            String word = WordQuestions.askedWord(sample.exchange().prompt());
            String text = sample.exchange().response();
            score += taste.score(word, text);
            met += taste.meets(word, text) ? 1 : 0;
        }
        gold.put("gold/score", score / samples.size());
        gold.put("gold/share", (double) met / samples.size());
    }
}
