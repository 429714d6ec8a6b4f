package io.github.rlhf4j.cli.recipe;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import java.util.Set;

/**
 * What the section {@code ppo} says, as the configuration of an algorithm's trainer: for all of them rollouts of the same
 * answers at the same rate, the same leash. Where a paper trains against a verifier and without a leash (Dr. GRPO, DAPO, GSPO,
 * CISPO), there is one here all the same, in the rewards, for the reward is learned; {@code ppo.klCoefficient=0} takes it off.
 */
final class TrainerConfigs {

    private final RecipeConfig run;
    private final RecipeConfig.Ppo config;
    private final Algorithm algorithm;
    private final Sampling sampling;

    /** @param stopTokens ids that end an answer */
    TrainerConfigs(RecipeConfig run, Algorithm algorithm, Set<Integer> stopTokens) {
        this.run = run;
        this.config = run.ppo();
        this.algorithm = algorithm;
        this.sampling = Sampling.exact(config.maxNewTokens(), config.temperature(), stopTokens);
    }

    PpoConfig ppo() {
        PpoConfig defaults = PpoConfig.of(config.iterations(), batches(), sampling, seed());
        return defaults.withMicroBatchTokens(run.memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(config.epochs())
                .withLosses(losses())
                .withAdvantages(advantages())
                .withRewards(rewards(leash(), config.rewards().whiten()))
                .withGuards(guards().withApproximateKlLimit(config.approximateKlLimit()))
                .withRates(linear(config.learningRate()), linear(config.valueLearningRate()));
    }

    GroupConfig group() {
        GroupConfig defaults =
                GroupConfig.of(config.iterations(), batches(), config.groupSize(), sampling, groupAlgorithm(), seed());
        KlController leash = hasLeashInLoss() ? new KlController.Fixed(0) : leash();
        return defaults.withMicroBatchTokens(run.memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(isForOneUpdate() ? 1 : config.epochs())
                .withGuards(guards().withApproximateKlLimit(config.approximateKlLimit()))
                .withRewards(rewards(leash, false))
                .withRate(linear(config.learningRate()));
    }

    OnlineDpoConfig onlineDpo() {
        OnlineDpoConfig defaults = OnlineDpoConfig.of(config.iterations(), batches(), sampling, seed());
        return defaults.withSamples(config.groupSize())
                .withMicroBatchTokens(run.memory().tokensOr(defaults.microBatchTokens()))
                .withEpochs(config.epochs())
                .withMissingStop(missingStop())
                .withGuards(guards())
                .withLoss(new DpoLoss(run.dpo().beta()))
                .withRate(linear(config.learningRate()));
    }

    private GroupAlgorithm groupAlgorithm() {
        PpoLosses losses = config.losses();
        GroupAlgorithm own = papers();
        double lossKl = losses.klCoefficient() + (hasLeashInLoss() ? config.klCoefficient() : 0);
        return own.withLoss(own.loss() instanceof ClippedPolicyLoss clipped ? surrogate(clipped) : own.loss())
                .withAggregation(losses.aggregation() == null ? own.aggregation() : losses.aggregation())
                .withLossKl(losses.klEstimator().penalty(lossKl))
                .withCorrection(correction());
    }

    /** As its paper has it. */
    private GroupAlgorithm papers() {
        return switch (algorithm) {
            case GRPO -> GroupAlgorithm.grpo();
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

    private boolean hasLeashInLoss() {
        return algorithm == Algorithm.GRPO;
    }

    /** Without a ratio to the policy that sampled, a rollout is for one pass. */
    private boolean isForOneUpdate() {
        return switch (algorithm) {
            case RLOO, REINFORCE, RAFT -> true;
            default -> false;
        };
    }

    private LossSettings losses() {
        PpoLosses losses = config.losses();
        LossSettings own = LossSettings.defaults();
        return new LossSettings(
                surrogate(own.policy()),
                new ClippedValueLoss(losses.valueClip()),
                losses.valueCoefficient(),
                losses.entropyCoefficient(),
                losses.klEstimator().penalty(losses.klCoefficient()),
                losses.aggregation() == null ? own.aggregation() : losses.aggregation(),
                config.ptxCoefficient(),
                PolicyStage.PTX_SEQUENCES,
                losses.valueWarmup());
    }

    /** With the limits that are set, and its own where none is. */
    private ClippedPolicyLoss surrogate(ClippedPolicyLoss own) {
        PpoLosses losses = config.losses();
        return new ClippedPolicyLoss(
                losses.clipLow() == 0 ? own.clipLow() : losses.clipLow(),
                losses.clipHigh() == 0 ? own.clipHigh() : losses.clipHigh(),
                losses.dualClip());
    }

    private AdvantageSettings advantages() {
        PpoAdvantages advantages = config.advantages();
        return new AdvantageSettings(
                advantages.gamma(), advantages.lambda(), advantages.whiten(), advantages.divisor(), correction());
    }

    private RolloutCorrection correction() {
        return config.int8Sampler() ? config.correction().weights() : new RolloutCorrection.None();
    }

    private RewardSettings rewards(KlController kl, boolean whiten) {
        PpoRewards rewards = config.rewards();
        return new RewardSettings(kl, missingStop(), rewards.scoreLimit(), whiten, rewards.scaling());
    }

    private KlController leash() {
        if (config.klTarget() == 0) {
            return new KlController.Fixed(config.klCoefficient());
        }
        return switch (config.klController()) {
            case ADAPTIVE ->
                new KlController.Adaptive(
                        config.klCoefficient(), config.klTarget(), config.klHorizon(), config.klUnit());
            case HALVING_DOUBLING ->
                new KlController.HalvingDoubling(config.klCoefficient(), config.klTarget(), config.klUnit());
        };
    }

    private MissingStop missingStop() {
        return switch (config.rewards().missingStop()) {
            case REPLACE -> new MissingStop.FixedScore(config.missingStopScore());
            case ADD -> new MissingStop.Penalty(-config.missingStopScore());
            case KEEP -> new MissingStop.Keep();
        };
    }

    private GuardSettings guards() {
        return GuardSettings.defaults().withKlBudget(config.klBudget());
    }

    private BatchPlan batches() {
        return new BatchPlan(config.rollout(), config.minibatch());
    }

    private LearningRateSchedule linear(double peak) {
        return new LearningRateSchedule.WarmupLinear(peak, 0, config.iterations());
    }

    private long seed() {
        return LanguageStages.seed(run, algorithm);
    }
}
