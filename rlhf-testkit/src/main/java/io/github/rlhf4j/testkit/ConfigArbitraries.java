package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.KlUnit;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import io.github.rlhf4j.ppo.preference.math.OrpoLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/**
 * Generators of configurations that are valid, of runs short enough for a test: what code that stores, prints or compares
 * configurations is to be tested with. They shrink towards one iteration, small batches and the defaults.
 */
public final class ConfigArbitraries {

    private static final int STOP_TOKEN = 0;

    private ConfigArbitraries() {}

    /** Exact sampling of 1 to 8 tokens with a stop token, id 0, or without one. */
    public static Arbitrary<Sampling> samplings() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 8),
                        Arbitraries.of(1.0, 0.7, 1.5),
                        Arbitraries.of(Set.of(STOP_TOKEN), Set.<Integer>of()))
                .as(Sampling::exact);
    }

    /** A rollout of 1 to 8 times {@code unit} sequences, and a minibatch that divides it. */
    private static Arbitrary<BatchPlan> batches(int unit) {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 4),
                        Arbitraries.integers().between(1, 2))
                .as((minibatches, units) -> new BatchPlan(minibatches * units * unit, units * unit));
    }

    /**
     * PPO: each KL controller, missing-stop rule, scaling and aggregation, whitening on and off, dual clip, limits, a value
     * function that warms up. No exact KL, which not every policy has.
     */
    public static Arbitrary<PpoConfig> ppo() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 3),
                        batches(1),
                        samplings(),
                        rewards(true),
                        advantages(),
                        losses(),
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.longs())
                .as((iterations, batches, sampling, rewards, advantages, losses, epochs, seed) -> PpoConfig.of(
                                iterations, batches, sampling, seed)
                        .withRewards(fitting(rewards, sampling))
                        .withAdvantages(advantages)
                        .withLosses(losses.withValueWarmup(Math.min(losses.valueWarmup(), iterations - 1)))
                        .withEpochs(epochs));
    }

    /** Where no token stops a response, none is missing. */
    private static RewardSettings fitting(RewardSettings rewards, Sampling sampling) {
        return sampling.stopTokens().isEmpty() ? rewards.withMissingStop(new MissingStop.Keep()) : rewards;
    }

    private static Arbitrary<RewardSettings> rewards(boolean mayWhiten) {
        return Combinators.combine(
                        Arbitraries.of(
                                new KlController.Fixed(0.1),
                                new KlController.Fixed(0),
                                KlController.Adaptive.perSequence(0.15, 6),
                                new KlController.Adaptive(0.1, 0.05, 100, KlUnit.PER_TOKEN),
                                new KlController.HalvingDoubling(0.2, 3, KlUnit.PER_TOKEN_OF_SEQUENCE)),
                        Arbitraries.<MissingStop>of(
                                new MissingStop.FixedScore(-1), new MissingStop.Penalty(2), new MissingStop.Keep()),
                        Arbitraries.of(0.0, 5.0),
                        mayWhiten ? Arbitraries.of(false, true) : Arbitraries.just(false),
                        Arbitraries.of(RewardSettings.Scaling.class))
                .as(RewardSettings::new);
    }

    private static Arbitrary<AdvantageSettings> advantages() {
        return Combinators.combine(
                        Arbitraries.of(1.0, 0.9, 0.0),
                        Arbitraries.of(0.95, 1.0, 0.0),
                        Arbitraries.of(true, false),
                        Arbitraries.of(AdvantageSettings.Divisor.class),
                        Arbitraries.<RolloutCorrection>of(
                                new RolloutCorrection.None(),
                                new RolloutCorrection.TokenTruncated(2),
                                new RolloutCorrection.SequenceMasked(0.5, 2)))
                .as(AdvantageSettings::new);
    }

    private static Arbitrary<LossSettings> losses() {
        return Combinators.combine(
                        Arbitraries.of(
                                new ClippedPolicyLoss(0.2),
                                new ClippedPolicyLoss(0.2, 0.28, 0),
                                new ClippedPolicyLoss(0.2, 0.2, 3)),
                        Arbitraries.of(new ClippedValueLoss(0.2), new ClippedValueLoss(0)),
                        Arbitraries.of(0.0, 0.01),
                        Arbitraries.<KlPenalty>of(
                                KlPenalty.none(),
                                new KlPenalty.Estimated(KlEstimator.K2, 0.1),
                                new KlPenalty.Estimated(KlEstimator.K3, 0.1)),
                        Arbitraries.of(Aggregation.class),
                        Arbitraries.of(0, 1))
                .as((policy, value, entropy, kl, aggregation, valueWarmup) -> LossSettings.defaults()
                        .withPolicy(policy)
                        .withValue(value, 0.1)
                        .withEntropyCoefficient(entropy)
                        .withKl(kl)
                        .withAggregation(aggregation)
                        .withValueWarmup(valueWarmup));
    }

    /** Each of the relatives without a value function, in groups of 2 to 4. */
    public static Arbitrary<GroupConfig> group() {
        return Arbitraries.integers().between(2, 4).flatMap(size -> Combinators.combine(
                        Arbitraries.integers().between(1, 3),
                        batches(size),
                        samplings(),
                        algorithms(),
                        rewards(false),
                        Arbitraries.longs())
                .as((iterations, batches, sampling, algorithm, rewards, seed) -> GroupConfig.of(
                                iterations, batches, size, sampling, algorithm, seed)
                        .withRewards(fitting(rewards, sampling))));
    }

    private static Arbitrary<GroupAlgorithm> algorithms() {
        return Arbitraries.of(
                GroupAlgorithm.grpo(),
                GroupAlgorithm.drGrpo(),
                GroupAlgorithm.dapo(new OverlongPunishment(8, 2)),
                GroupAlgorithm.gspo(),
                GroupAlgorithm.cispo(),
                GroupAlgorithm.rloo(),
                GroupAlgorithm.reinforce(),
                GroupAlgorithm.reinforcePlusPlus(),
                GroupAlgorithm.raft());
    }

    /** Training on preferences: losses with a reference and without, pairs and single judgements. */
    public static Arbitrary<DpoConfig> dpo() {
        return Combinators.combine(
                        Arbitraries.integers().between(1, 3),
                        Arbitraries.integers().between(1, 4),
                        Arbitraries.<PreferenceLoss>of(
                                new DpoLoss(0.1), new IpoLoss(0.1), new KtoLoss(0.1), new OrpoLoss(0.1)),
                        Arbitraries.of(DpoConfig.ReferenceScoring.class),
                        Arbitraries.of(DpoConfig.TooLong.class),
                        Arbitraries.integers().between(0, 3),
                        Arbitraries.of(1.0, 0.5),
                        Arbitraries.longs())
                .as((epochs, batch, loss, scoring, tooLong, evaluateEvery, temperature, seed) -> DpoConfig.defaults(
                                epochs, seed)
                        .withBatchSize(batch)
                        .withLoss(loss)
                        .withReferenceScoring(scoring)
                        .withTooLong(tooLong)
                        .withTemperature(temperature)
                        .withSchedule(new LearningRateSchedule.Constant(1e-3))
                        .withEvaluateEvery(evaluateEvery));
    }
}
