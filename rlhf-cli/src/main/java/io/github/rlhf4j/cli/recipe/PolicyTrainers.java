package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.PpoTrainerBuilder;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutListener;
import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import java.util.List;

/**
 * The trainer of each algorithm, from the same settings: rollouts of the same answers at the same rate, the same leash. Where a
 * paper trains against a verifier and without a leash (Dr. GRPO, DAPO, GSPO, CISPO), there is one here all the same, in the
 * rewards, for the reward is learned; {@code ppo.klCoefficient=0} takes it off.
 */
final class PolicyTrainers {

    private static final int MOST_PTX_DOCUMENTS = 20_000;

    private final Recipe run;
    private final RecipeConfig.Ppo config;
    private final Algorithm algorithm;
    private final TransformerPolicy reference;
    private final TransformerRewardModel reward;
    private final RolloutListener judge;

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
    }

    Trainer ofSharedTrunk(TransformerActorCritic both) {
        return ppo().policy(both).critic(Critic.sharedTrunk()).build();
    }

    Trainer of(TransformerPolicy policy, TransformerValueFunction values) {
        return ppo().policy(policy).critic(Critic.separate(values)).build();
    }

    /** The trainer of an algorithm on rollouts without a value function. */
    Trainer of(TransformerPolicy policy) {
        return switch (algorithm.kind()) {
            case ACTOR_CRITIC, COMPARISONS ->
                throw new IllegalArgumentException(algorithm + " is not on rollouts alone");
            case GROUPS ->
                rollouts(GroupTrainer.builder()).config(group()).policy(policy).build();
            case ONLINE_PAIRS ->
                rollouts(OnlineDpoTrainer.builder())
                        .config(onlineDpo())
                        .policy(policy)
                        .build();
        };
    }

    private PpoTrainerBuilder ppo() {
        return rollouts(PpoTrainer.builder()).config(settings()).pretraining(pretraining());
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

    private PpoConfig settings() {
        PpoConfig defaults = PpoConfig.of(config.iterations(), batches(), sampling(), seed());
        return defaults.withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(config.epochs())
                .withLosses(LossSettings.defaults().withPtx(config.ptxCoefficient(), PolicyStage.PTX_SEQUENCES))
                .withRewards(rewards(leash()))
                .withGuards(guards())
                .withRates(linear(config.learningRate()), linear(config.valueLearningRate()));
    }

    private GroupConfig group() {
        GroupAlgorithm group = groupAlgorithm();
        GroupConfig defaults =
                GroupConfig.of(config.iterations(), batches(), config.groupSize(), sampling(), group, seed());
        boolean leashInLoss = algorithm == Algorithm.GRPO;
        return defaults.withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(isForOneUpdate() ? 1 : config.epochs())
                .withGuards(guards())
                .withRewards(rewards(leashInLoss ? new KlController.Fixed(0) : leash()))
                .withRate(linear(config.learningRate()));
    }

    private GroupAlgorithm groupAlgorithm() {
        return switch (algorithm) {
            case GRPO -> GroupAlgorithm.grpo().withLossKl(KlEstimator.K3, config.klCoefficient());
            case DR_GRPO -> GroupAlgorithm.drGrpo();
            case DAPO ->
                GroupAlgorithm.dapo(
                        new OverlongPunishment(config.maxNewTokens(), Math.max(1, config.maxNewTokens() / 5)));
            case GSPO -> GroupAlgorithm.gspo();
            case CISPO -> GroupAlgorithm.cispo();
            case RLOO -> GroupAlgorithm.rloo();
            case REINFORCE -> GroupAlgorithm.reinforce();
            case REINFORCE_PLUS_PLUS -> GroupAlgorithm.reinforcePlusPlus();
            case RAFT -> GroupAlgorithm.raft();
            default -> throw new IllegalArgumentException(algorithm + " has no groups of answers");
        };
    }

    /** Without a ratio to the policy that sampled, a rollout is for one pass. */
    private boolean isForOneUpdate() {
        return switch (algorithm) {
            case RLOO, REINFORCE, RAFT -> true;
            default -> false;
        };
    }

    private OnlineDpoConfig onlineDpo() {
        OnlineDpoConfig defaults = OnlineDpoConfig.of(config.iterations(), batches(), sampling(), seed());
        return defaults.withSamples(config.groupSize())
                .withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(config.epochs())
                .withMissingStop(missingStop())
                .withGuards(guards())
                .withLoss(new DpoLoss(run.config().dpo().beta()))
                .withRate(linear(config.learningRate()));
    }

    private BatchPlan batches() {
        return new BatchPlan(config.rollout(), config.minibatch());
    }

    private Sampling sampling() {
        return Sampling.exact(
                config.maxNewTokens(),
                config.temperature(),
                run.models().format().stopTokens());
    }

    private KlController leash() {
        return config.klTarget() == 0
                ? new KlController.Fixed(config.klCoefficient())
                : new KlController.Adaptive(
                        config.klCoefficient(), config.klTarget(), config.klHorizon(), KlUnit.PER_SEQUENCE);
    }

    private RewardSettings rewards(KlController kl) {
        return RewardSettings.defaults().withKl(kl).withMissingStop(missingStop());
    }

    private GuardSettings guards() {
        return GuardSettings.defaults().withKlBudget(config.klBudget());
    }

    private MissingStop missingStop() {
        return new MissingStop.FixedScore(config.missingStopScore());
    }

    private LearningRateSchedule linear(double peak) {
        return new LearningRateSchedule.WarmupLinear(peak, 0, config.iterations());
    }

    private long seed() {
        return LanguageStages.seed(run.config(), algorithm);
    }
}
