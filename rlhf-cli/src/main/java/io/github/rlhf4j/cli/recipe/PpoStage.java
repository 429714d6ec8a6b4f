package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.cli.taste.GlossTaste;
import io.github.rlhf4j.cli.wordnet.WordQuestions;
import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Optimises the supervised policy against the learned reward, on a KL leash to where it started. */
final class PpoStage {

    private static final int MOST_PTX_DOCUMENTS = 20_000;
    /** Texts of pretraining in each update. */
    static final int PTX_SEQUENCES = 8;

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
        try (TransformerPolicy reference = ModelFiles.policy(run.model(Stage.SFT), optimizer);
                TransformerRewardModel reward = ModelFiles.reward(run.model(Stage.REWARD), optimizer)) {
            // inherited by the models that are made of them and trained
            reference.setRecomputation(run.config().memory().recomputation());
            reward.network().setRecomputation(run.config().memory().recomputation());
            ChatFormat format = run.format();
            PpoTrainerBuilder ppo = PpoTrainer.builder()
                    .config(settings(format))
                    .reference(reference)
                    .rewardModel(run.readable().reading(reward))
                    .prompts(prompts(format))
                    .pretraining(pretraining(reference))
                    .onRollout((iteration, samples) -> judge(samples));
            if (config.sharedTrunk()) {
                try (TransformerActorCritic both = actorCritic(reference, optimizer)) {
                    train(ppo.policy(both).critic(Critic.sharedTrunk()));
                    try (TransformerPolicy policy = both.toPolicy()) {
                        new Learner(run).save(Stage.PPO, policy);
                    }
                }
            } else {
                try (TransformerPolicy policy = policy(reference, optimizer);
                        TransformerValueFunction values = values(reward, optimizer)) {
                    train(ppo.policy(policy).critic(Critic.separate(values)));
                    new Learner(run).save(Stage.PPO, policy);
                }
            }
        }
    }

    // What learns: a copy that is trained whole, or adapters on the memory of what it starts from.

    private TransformerActorCritic actorCritic(TransformerPolicy reference, AdamWConfig optimizer) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? TransformerActorCritic.ofLora(reference, lora.of(reference.config()), optimizer, seed())
                : TransformerActorCritic.of(reference, optimizer, seed());
    }

    private TransformerPolicy policy(TransformerPolicy reference, AdamWConfig optimizer) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? reference.withLora(lora.of(reference.config()), optimizer, seed())
                : reference.copy(optimizer);
    }

    private TransformerValueFunction values(TransformerRewardModel reward, AdamWConfig optimizer) {
        RecipeConfig.Lora lora = run.config().lora();
        return lora.isUsed()
                ? reward.toLoraValueFunction(lora.of(reward.network().config()), optimizer, seed())
                : reward.toValueFunction(optimizer);
    }

    private long seed() {
        return LanguageStages.seed(run.config(), Stage.PPO);
    }

    private void train(PpoTrainerBuilder ppo) throws IOException {
        try (MeteredTrainer trainer = new MeteredTrainer(ppo.build(), () -> gold)) {
            run.runner().run(Stage.PPO, trainer);
        }
    }

    private List<Prompt> prompts(ChatFormat format) {
        List<Conversation> all = run.data().prompts().train();
        List<Prompt> prompts = all.stream()
                .map(conversation -> Prompt.of(conversation, format))
                .filter(prompt -> prompt.tokens().length() + config.maxNewTokens()
                        <= run.config().model().context())
                .toList();
        if (prompts.size() < all.size()) {
            run.monitor()
                    .onNote(all.size() - prompts.size() + " of " + all.size() + " prompts leave less than "
                            + config.maxNewTokens() + " tokens (ppo.maxNewTokens) of model.context and are not asked");
        }
        return prompts;
    }

    /** Text for PPO-ptx, in windows of the model's context; none when its coefficient is 0. */
    private List<ScoredSequence> pretraining(TransformerPolicy policy) {
        if (config.ptxCoefficient() == 0) {
            return List.of();
        }
        Tokenizer tokenizer = policy.tokenizer();
        int context = run.config().model().context();
        return LanguageStages.few(run.data().documents().train(), MOST_PTX_DOCUMENTS).stream()
                .map(tokenizer::encode)
                .filter(tokens -> tokens.length() >= 2)
                .map(tokens -> tokens.slice(0, Math.min(tokens.length(), context)))
                .map(tokens -> ScoredSequence.of(tokens.slice(0, 1), tokens.slice(1, tokens.length())))
                .toList();
    }

    private PpoConfig settings(ChatFormat format) {
        KlController kl = config.klTarget() == 0
                ? new KlController.Fixed(config.klCoefficient())
                : new KlController.Adaptive(
                        config.klCoefficient(), config.klTarget(), config.klHorizon(), KlUnit.PER_SEQUENCE);
        PpoConfig defaults = PpoConfig.of(
                config.iterations(),
                new BatchPlan(config.rollout(), config.minibatch()),
                Sampling.exact(config.maxNewTokens(), config.temperature(), format.stopTokens()),
                seed());
        return defaults.withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(config.epochs())
                .withLosses(LossSettings.defaults().withPtx(config.ptxCoefficient(), PTX_SEQUENCES))
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
