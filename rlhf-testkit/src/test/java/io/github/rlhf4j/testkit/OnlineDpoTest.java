package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainerBuilder;
import io.github.rlhf4j.ppo.preference.math.BcoLoss;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.Pair;
import io.github.rlhf4j.ppo.preference.math.PairBatch;
import io.github.rlhf4j.ppo.preference.math.PairLoss;
import io.github.rlhf4j.ppo.preference.math.PairResult;
import io.github.rlhf4j.ppo.preference.math.PairTerm;
import io.github.rlhf4j.ppo.preference.math.SimpoLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Preferences between a policy's own responses: what they teach, and where that leads. */
class OnlineDpoTest {

    static OnlineDpoConfig config(int iterations) {
        return OnlineDpoConfig.of(iterations, new BatchPlan(16, 8), PpoFixture.SAMPLING, 6)
                .withRate(new LearningRateSchedule.Constant(0.05));
    }

    static OnlineDpoTrainerBuilder builder(TabularPolicy policy, OnlineDpoConfig config) {
        return OnlineDpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS);
    }

    private static List<StepReport> run(OnlineDpoTrainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        trainer.run((t, report) -> reports.add(report));
        return reports;
    }

    // Where it leads

    /**
     * Of two responses whose scores carry Gumbel noise the first scores more with probability σ(r₁ − r₂), as Bradley and Terry
     * have it. There the expected gradient of each pair is 0 where its implicit rewards differ as its rewards do, so that the
     * fixed point is the optimum of KL-regularised reinforcement learning, π_ref·exp(r/β)/Z.
     */
    @Test
    void withAJudgeOfBradleyAndTerryItLeadsToTheOptimumOfReinforcementLearning() {
        double beta = 0.5;
        TabularPolicy policy = DpoFixture.policy();
        TabularPolicy reference = policy.copy();
        Random random = new Random(4);
        RewardModel noisy = batch -> batch.stream()
                .mapToDouble(
                        e -> DpoFixture.reward(e.prompt(), e.response()) - Math.log(-Math.log(1 - random.nextDouble())))
                .toArray();
        OnlineDpoConfig config = OnlineDpoConfig.of(400, new BatchPlan(256, 256), DpoFixture.SAMPLING, 6)
                .withLoss(new DpoLoss(beta))
                .withRate(new LearningRateSchedule.WarmupLinear(0.05, 0, 400));
        OnlineDpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(reference)
                .rewardModel(noisy)
                .prompts(DpoFixture.PROMPTS.stream().map(PpoFixture::prompt).toList())
                .build()
                .run();
        for (String prompt : DpoFixture.PROMPTS) {
            TokenSequence tokens = DpoFixture.LETTERS.encode(prompt);
            ResponseDistribution before = reference.responses(tokens, DpoFixture.SAMPLING);
            ResponseDistribution optimal =
                    before.optimal(y -> DpoFixture.reward(prompt, DpoFixture.LETTERS.decode(y)), beta);
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.2);
            assertThat(policy.responses(tokens, DpoFixture.SAMPLING).totalVariation(optimal))
                    .isLessThan(0.03);
        }
    }

    private static double reward(TokenSequence response) {
        return PpoFixture.LETTERS.decode(response).chars().filter(c -> c == 'b').count();
    }

    /** The expected reward, and the probability of scoring more than a response of the reference, ties counting half. */
    private static void requireBetter(TabularPolicy trained, TabularPolicy reference) {
        for (Prompt prompt : PpoFixture.PROMPTS) {
            ResponseDistribution before = reference.responses(prompt.tokens(), PpoFixture.SAMPLING);
            ResponseDistribution after = trained.responses(prompt.tokens(), PpoFixture.SAMPLING);
            assertThat(after.expectation(OnlineDpoTest::reward))
                    .as("expected reward")
                    .isGreaterThan(before.expectation(OnlineDpoTest::reward) + 0.5);
            double wins = after.expectation(
                    y -> before.expectation(other -> (1 + Math.signum(reward(y) - reward(other))) / 2));
            assertThat(wins).as("probability of a win").isGreaterThan(0.65);
        }
    }

    private static void trainAndRequireBetter(PairLoss loss) {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        builder(policy, config(60).withLoss(loss)).build().run();
        requireBetter(policy, reference);
    }

    static Stream<PairLoss> losses() {
        return Stream.of(new DpoLoss(0.1), new IpoLoss(0.1), new BcoLoss(0.1), new SimpoLoss(2, 0.5));
    }

    @ParameterizedTest
    @MethodSource("losses")
    void theRewardRisesAndSoDoesTheProbabilityOfAWin(PairLoss loss) {
        trainAndRequireBetter(loss);
    }

    /** A loss that takes the worse response for the better one. */
    private record Swapped(PairLoss sound) implements PairLoss {

        @Override
        public ImplicitReward reward() {
            return sound.reward();
        }

        @Override
        public PairTerm of(Pair pair) {
            PairTerm term = sound.of(new Pair(pair.rejected(), pair.chosen()));
            return new PairTerm(term.loss(), term.dRejected(), term.dChosen());
        }
    }

    @Test
    void preferencesTheWrongWayRoundAreFound() {
        assertThatThrownBy(() -> trainAndRequireBetter(new Swapped(new DpoLoss(0.1))))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("expected reward");
    }

    // What an update is

    /** Keeps the sequences that went backward, with their log-probs and gradients. */
    private static final class Spy extends TabularPolicy {

        private final List<SequenceBatch> batches = new ArrayList<>();
        private final List<double[][]> logProbs = new ArrayList<>();
        private final List<double[][]> gradients = new ArrayList<>();

        Spy() {
            super(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, PpoFixture.policy().table);
        }

        @Override
        public ForwardPass forward(SequenceBatch batch) {
            ForwardPass pass = super.forward(batch);
            return new ForwardPass() {
                @Override
                public TokenScores scores() {
                    return pass.scores();
                }

                @Override
                public void backward(TokenGradients passed) {
                    batches.add(batch);
                    logProbs.add(Ragged.map(pass.scores().logProbs(), x -> x));
                    gradients.add(passed.dLogProbs());
                    pass.backward(passed);
                }

                @Override
                public void close() {
                    pass.close();
                }
            };
        }
    }

    /** Against a reference that is another policy, at another temperature than 1: chosen and rejected in turn. */
    @Test
    void gradientsAreThoseOfTheLossOnBestAndWorst() {
        Spy spy = new Spy();
        Sampling sampling = Sampling.exact(4, 0.7, PpoFixture.SAMPLING.stopTokens());
        TabularPolicy reference = TabularPolicy.random(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd(), 8, 0.3);
        List<RolloutSample> shown = new ArrayList<>();
        OnlineDpoConfig config = OnlineDpoConfig.of(1, new BatchPlan(12, 12), sampling, 6)
                .withSamples(4)
                .withRate(new LearningRateSchedule.Constant(0.05));
        StepReport report = builder(spy, config)
                .reference(reference)
                .onRollout((iteration, samples) -> shown.addAll(samples))
                .build()
                .step();
        SequenceBatch batch = spy.batches.get(0);
        double[][] own = spy.logProbs.get(0);
        double[] references = Ragged.rowSums(reference.score(batch).logProbs());
        int pairs = batch.size() / 2;
        assertThat(spy.batches).hasSize(1);
        assertThat(batch.temperature()).isEqualTo(0.7);
        assertThat(report.metric("online/pairs")).isEqualTo(pairs).isPositive();
        PairResult expected = new DpoLoss(0.1)
                .evaluate(new PairBatch(
                        rows(own, 0), rows(own, 1), every(references, 0, pairs), every(references, 1, pairs)));
        for (int i = 0; i < pairs; i++) {
            assertThat(spy.gradients.get(0)[2 * i]).containsExactly(expected.dChosen()[i], within(1e-15));
            assertThat(spy.gradients.get(0)[2 * i + 1]).containsExactly(expected.dRejected()[i], within(1e-15));
        }
        assertThat(report.metric("dpo/loss")).isCloseTo(expected.loss(), within(1e-12));
        assertThat(report.metric("online/score_margin")).isCloseTo(bestLessWorst(shown), within(1e-12));
        for (int i = 0; i < pairs; i++) {
            assertThat(score(batch, 2 * i)).isGreaterThan(score(batch, 2 * i + 1));
        }
    }

    private static double score(SequenceBatch batch, int row) {
        TokenSequence tokens = batch.sequences().get(row).tokens();
        return reward(tokens.slice(batch.sequences().get(row).position(0), tokens.length()));
    }

    /** Mean over prompts whose responses differ, four responses each. */
    private static double bestLessWorst(List<RolloutSample> samples) {
        double sum = 0;
        int pairs = 0;
        for (int from = 0; from < samples.size(); from += 4) {
            double[] scores = samples.subList(from, from + 4).stream()
                    .mapToDouble(RolloutSample::score)
                    .sorted()
                    .toArray();
            sum += scores[3] - scores[0];
            pairs += scores[3] > scores[0] ? 1 : 0;
        }
        return sum / pairs;
    }

    private static double[][] rows(double[][] all, int offset) {
        double[][] rows = new double[all.length / 2][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = all[2 * i + offset];
        }
        return rows;
    }

    private static double[] every(double[] all, int offset, int count) {
        double[] picked = new double[count];
        for (int i = 0; i < count; i++) {
            picked[i] = all[2 * i + offset];
        }
        return picked;
    }

    @Test
    void microBatchesChangeNothing() {
        StepReport whole = builder(PpoFixture.policy(), config(1)).build().step();
        StepReport parts = builder(PpoFixture.policy(), config(1).withMicroBatchTokens(9))
                .build()
                .step();
        assertThat(parts.metric("dpo/gradient_norm"))
                .isCloseTo(whole.metric("dpo/gradient_norm"), within(1e-12))
                .isPositive();
    }

    // Which pairs there are

    @Test
    void whereAllResponsesTieNothingIsLearned() {
        TabularPolicy policy = PpoFixture.policy();
        double[] before = policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1);
        RewardModel indifferent = batch -> new double[batch.size()];
        for (StepReport report :
                run(builder(policy, config(3)).rewardModel(indifferent).build())) {
            assertThat(report.metric("online/pairs")).isZero();
            assertThat(report.metric("online/skipped")).isEqualTo(8);
            assertThat(report.metrics()).doesNotContainKeys("dpo/loss", "online/score_margin");
        }
        assertThat(policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1)).containsExactly(before);
    }

    /** Scores that differ by the order of drawing alone do not set a response against itself. */
    @Test
    void aResponseIsNotComparedWithItself() {
        TabularPolicy certain = PpoFixture.policy();
        for (Prompt prompt : PpoFixture.PROMPTS) {
            certain.setLogits(prompt.tokens(), -50, -50, 50);
        }
        RewardModel byOrder = batch -> {
            double[] scores = new double[batch.size()];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = i;
            }
            return scores;
        };
        StepReport report =
                builder(certain, config(1)).rewardModel(byOrder).build().step();
        assertThat(report.metric("online/pairs")).isZero();
    }

    @Test
    void aPenaltyForNotStoppingMakesThePairs() {
        RewardModel indifferent = batch -> new double[batch.size()];
        OnlineDpoConfig config = config(1).withMissingStop(new MissingStop.Penalty(1));
        StepReport report = builder(PpoFixture.policy(), config)
                .rewardModel(indifferent)
                .build()
                .step();
        assertThat(report.metric("rollout/stopped")).isBetween(0.1, 0.9);
        assertThat(report.metric("online/pairs")).isPositive();
        assertThat(report.metric("online/score_margin")).isEqualTo(1);
        assertThat(report.metric("objective/reward")).isEqualTo(report.metric("rollout/stopped") - 1);
    }

    @Test
    void aBudgetOfKlIsKept() {
        OnlineDpoConfig config = config(20)
                .withRate(new LearningRateSchedule.Constant(0.3))
                .withGuards(GuardSettings.defaults().withKlBudget(0.2));
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        List<StepReport> reports = new ArrayList<>();
        builder(policy, config).build().run((trainer, report) -> {
            reports.add(report);
            assertThat(KlBacktrackingTest.exactKl(policy, reference)).isLessThanOrEqualTo(0.2);
            double factor = report.metrics().getOrDefault("budget/rate_factor", 1.0);
            assertThat(report.metric("dpo/learning_rate")).isEqualTo(0.3 * factor);
            return true;
        });
        assertThat(KlBacktrackingTest.exactKl(policy, reference)).isPositive();
        assertThat(reports.stream()
                        .mapToDouble(r -> r.metrics().getOrDefault("budget/undone", 0.0))
                        .sum())
                .isPositive();
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> config(1).withSamples(1)).hasMessageContaining("at least 2 responses");
        assertThatThrownBy(() -> config(1).withSamples(3)).hasMessageContaining("a rollout of 16");
        assertThatThrownBy(() -> OnlineDpoConfig.of(1, new BatchPlan(8, 8), PpoFixture.SAMPLING.withTopK(2), 1))
                .hasMessageContaining("exact policy");
        assertThatThrownBy(() -> config(1).withGuards(GuardSettings.defaults().withApproximateKlLimit(0.1)))
                .hasMessageContaining("withKlBudget");
        assertThatThrownBy(() -> config(0)).hasMessageContaining("iterations");
        assertThatThrownBy(() -> OnlineDpoTrainer.builder().build()).hasMessageContaining("config");
    }
}
