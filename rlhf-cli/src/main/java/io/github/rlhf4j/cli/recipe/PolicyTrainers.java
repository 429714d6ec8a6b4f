package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.data.PreferenceFiles;
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
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.DpoTrainerBuilder;
import io.github.rlhf4j.ppo.preference.JudgedExchange;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import io.github.rlhf4j.ppo.preference.math.ApoDownLoss;
import io.github.rlhf4j.ppo.preference.math.ApoZeroLoss;
import io.github.rlhf4j.ppo.preference.math.BcoLoss;
import io.github.rlhf4j.ppo.preference.math.ConservativeDpoLoss;
import io.github.rlhf4j.ppo.preference.math.CpoLoss;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.HingeLoss;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import io.github.rlhf4j.ppo.preference.math.NcaLoss;
import io.github.rlhf4j.ppo.preference.math.OrpoLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import io.github.rlhf4j.ppo.preference.math.RobustDpoLoss;
import io.github.rlhf4j.ppo.preference.math.SimpoLoss;
import io.github.rlhf4j.ppo.preference.math.SlicLoss;
import io.github.rlhf4j.ppo.preference.math.SppoLoss;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The trainer of each algorithm, from the same settings: rollouts of the same answers at the same rate, the same leash. Where a
 * paper trains against a verifier and without a leash (Dr. GRPO, DAPO, GSPO, CISPO), there is one here all the same, in the
 * rewards, for the reward is learned; {@code ppo.klCoefficient=0} takes it off.
 */
final class PolicyTrainers {

    private static final int MOST_PTX_DOCUMENTS = 20_000;
    private static final double FINAL_RATE = 0.1;
    /** Share of comparisons that are the wrong way round, where nobody knows. */
    private static final double UNKNOWN_NOISE = 0.05;

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
                .rewardModel(run.readable().reading(reward))
                .prompts(prompts())
                .onRollout(judge);
    }

    private List<Prompt> prompts() {
        List<Conversation> all = run.data().prompts().train();
        List<Prompt> prompts = all.stream()
                .map(conversation -> Prompt.of(conversation, run.format()))
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

    /** The trainer of an algorithm on comparisons, which asks no reward model. */
    static Trainer onComparisons(Recipe run, Algorithm algorithm, TransformerPolicy policy, TransformerPolicy reference)
            throws IOException {
        RecipeConfig.Dpo stage = run.config().dpo();
        PreferenceDataset comparisons = PreferenceFiles.read(run.directory().comparisons());
        DpoConfig defaults = DpoConfig.defaults(stage.epochs(), LanguageStages.seed(run.config(), algorithm));
        DpoConfig sized = defaults.withBatchSize(stage.batch())
                .withMicroBatchTokens(run.config().memory().tokensOr(defaults.microBatchTokens()))
                .withTooLong(DpoConfig.TooLong.TRUNCATE_END)
                .withLoss(loss(run, algorithm));
        long steps = sized.totalSteps(algorithm == Algorithm.KTO ? 2 * comparisons.size() : comparisons.size());
        double rate = stage.learningRate();
        DpoTrainerBuilder builder = DpoTrainer.builder()
                .config(sized.withEvaluateEvery((int) Math.max(1, steps / 5))
                        .withSchedule(new LearningRateSchedule.WarmupCosine(
                                rate, rate * FINAL_RATE, steps / 20, Math.max(1, steps))))
                .policy(policy)
                .reference(reference)
                .format(run.format());
        return algorithm == Algorithm.KTO
                ? builder.judgements(judged(comparisons)).build()
                : builder.preferences(comparisons)
                        .heldOut(PreferenceFiles.read(run.directory().unseenComparisons()))
                        .build();
    }

    /** The best of each ranking as desirable, the worst as not. */
    private static List<JudgedExchange> judged(PreferenceDataset comparisons) {
        List<JudgedExchange> judged = new ArrayList<>();
        for (int i = 0; i < comparisons.size(); i++) {
            Ranking ranking = comparisons.get(i);
            int best = ranking.ranks().indexOf(Collections.min(ranking.ranks()));
            int worst = ranking.ranks().indexOf(Collections.max(ranking.ranks()));
            for (int j : new int[] {best, worst}) {
                Exchange exchange =
                        new Exchange(ranking.conversation(), ranking.responses().get(j));
                judged.add(new JudgedExchange(exchange, j == best));
            }
        }
        return judged;
    }

    /**
     * With the papers' own numbers beside β. Of the labeler's mistakes half turn a comparison round, which is what the losses
     * that allow for noise are told.
     */
    private static PreferenceLoss loss(Recipe run, Algorithm algorithm) {
        double beta = run.config().dpo().beta();
        double noise = run.config().data().preferences() == null
                ? run.config().comparisons().mistakes() / 2
                : UNKNOWN_NOISE;
        return switch (algorithm) {
            case DPO -> new DpoLoss(beta);
            case IPO -> new IpoLoss(beta);
            case HINGE -> new HingeLoss(beta);
            case CONSERVATIVE_DPO -> new ConservativeDpoLoss(beta, noise);
            case ROBUST_DPO -> new RobustDpoLoss(beta, noise);
            case SLIC -> new SlicLoss(1, 1);
            case APO_ZERO -> new ApoZeroLoss(beta);
            case APO_DOWN -> new ApoDownLoss(beta);
            case NCA -> new NcaLoss(beta);
            case SPPO -> new SppoLoss(beta);
            case BCO -> new BcoLoss(beta);
            case ORPO -> new OrpoLoss(0.1);
            case SIMPO -> new SimpoLoss(2, 1);
            case CPO -> new CpoLoss(beta, 1);
            case KTO -> new KtoLoss(beta);
            default -> throw new IllegalArgumentException(algorithm + " is not on comparisons");
        };
    }

    private BatchPlan batches() {
        return new BatchPlan(config.rollout(), config.minibatch());
    }

    private Sampling sampling() {
        return Sampling.exact(
                config.maxNewTokens(), config.temperature(), run.format().stopTokens());
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
