package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.RolloutListener;
import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import java.util.List;

/** The trainer of each algorithm on rollouts, from the same settings ({@link TrainerConfigs}). */
final class PolicyTrainers {

    private static final int MOST_PTX_DOCUMENTS = 20_000;

    private final Recipe run;
    private final RecipeConfig.Ppo config;
    private final Algorithm algorithm;
    private final TransformerPolicy reference;
    private final TransformerRewardModel reward;
    private final RolloutListener judge;
    private final TrainerConfigs configs;

    /** @param judge is shown each rollout */
    PolicyTrainers(
            Recipe run,
            Algorithm algorithm,
            TransformerPolicy reference,
            TransformerRewardModel reward,
            RolloutListener judge) {
        this.run = run;
        this.config = run.config().ppo();
        this.algorithm = algorithm;
        this.reference = reference;
        this.reward = reward;
        this.judge = judge;
        this.configs = new TrainerConfigs(
                run.config(), algorithm, run.models().format().stopTokens());
    }

    Trainer ofSharedTrunk(TransformerActorCritic both) {
        return ppo().policy(both).critic(Critic.sharedTrunk()).build();
    }

    Trainer of(TransformerPolicy policy, TransformerValueFunction values) {
        return sampled(ppo(), policy).critic(Critic.separate(values)).build();
    }

    /** The trainer of an algorithm on rollouts without a value function. */
    Trainer of(TransformerPolicy policy) {
        return switch (algorithm.kind()) {
            case ACTOR_CRITIC, COMPARISONS ->
                throw new IllegalArgumentException(algorithm + " is not on rollouts alone");
            case GROUPS ->
                sampled(rollouts(GroupTrainer.builder()), policy)
                        .config(configs.group())
                        .build();
            case ONLINE_PAIRS ->
                sampled(rollouts(OnlineDpoTrainer.builder()), policy)
                        .config(configs.onlineDpo())
                        .build();
        };
    }

    private PpoTrainerBuilder ppo() {
        return rollouts(PpoTrainer.builder()).config(configs.ppo()).pretraining(pretraining());
    }

    private <B extends RolloutTrainerBuilder<B>> B sampled(B builder, TransformerPolicy policy) {
        B trained = builder.policy(policy);
        return config.int8Sampler() ? trained.sampler(new Int8Sampler(policy)) : trained;
    }

    private <B extends RolloutTrainerBuilder<B>> B rollouts(B builder) {
        return builder.reference(reference)
                .rewardModel(run.models().readable().reading(reward))
                .prompts(prompts())
                .onRollout(judge);
    }

    private List<Prompt> prompts() {
        List<Conversation> all = run.data().prompts().train();
        List<Prompt> prompts = all.stream()
                .map(conversation -> Prompt.of(conversation, run.models().format()))
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
    private List<ScoredSequence> pretraining() {
        if (config.ptxCoefficient() == 0) {
            return List.of();
        }
        Tokenizer tokenizer = reference.tokenizer();
        int context = run.config().model().context();
        return LanguageStages.few(run.data().documents().train(), MOST_PTX_DOCUMENTS).stream()
                .map(tokenizer::encode)
                .filter(tokens -> tokens.length() >= 2)
                .map(tokens -> tokens.slice(0, Math.min(tokens.length(), context)))
                .map(tokens -> ScoredSequence.of(tokens.slice(0, 1), tokens.slice(1, tokens.length())))
                .toList();
    }
}
