package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.ActorCritic;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.KlController;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a PPO iteration does, on a policy where everything can be seen. */
class PpoTrainerTest {

    private static final BatchPlan PLAN = new BatchPlan(8, 8);

    @TempDir
    private Path directory;

    private static StepReport firstStep(TabularPolicy policy, PpoConfig config) {
        return PpoFixture.builder(policy, config).build().step();
    }

    private static double[] logProbs(TabularPolicy policy) {
        return policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1);
    }

    // What must hold at the first update of every rollout

    @Test
    void beforeTheFirstUpdateTheRatioIsOneAndNothingIsClipped() {
        PpoTrainer trainer = PpoFixture.builder(
                        PpoFixture.policy(), PpoFixture.config(5, PLAN).withEpochs(1))
                .build();
        while (!trainer.finished()) {
            StepReport report = trainer.step();
            assertThat(report.metric("ppo/ratio")).isCloseTo(1, offset(1e-12));
            assertThat(report.metric("ppo/approx_kl")).isCloseTo(0, offset(1e-12));
            assertThat(report.metric("ppo/clip_fraction")).isZero();
            assertThat(report.metric("ppo/on_policy_error")).isCloseTo(0, offset(1e-12));
            assertThat(report.metric("ppo/policy_loss")).isCloseTo(0, offset(1e-6));
            assertThat(report.metric("ppo/updates")).isEqualTo(1);
        }
    }

    @Test
    void laterEpochsMoveTheRatio() {
        StepReport report = firstStep(PpoFixture.policy(), PpoFixture.config(1, PLAN));
        assertThat(report.metric("ppo/updates")).isEqualTo(4);
        assertThat(report.metric("ppo/approx_kl")).isGreaterThan(1e-5);
        assertThat(report.metric("ppo/on_policy_error")).isCloseTo(0, offset(1e-12));
    }

    // The stop token is an action; there is no padding for it to be

    /** With λ = 0, values 0 and no KL penalty, a token's advantage is its reward: the score, on the stop token alone. */
    @Test
    void theScoreLandsOnTheStopToken() {
        GradientSpy spy = new GradientSpy();
        spy.setLogits(PpoFixture.LETTERS.encode("aa"), -50, 50, -50);
        spy.setLogits(PpoFixture.LETTERS.encode("aab"), -50, -50, 50);
        RewardModel five = batch -> batch.stream().mapToDouble(e -> 5).toArray();
        PpoConfig config = PpoFixture.config(1, new BatchPlan(1, 1))
                .withEpochs(1)
                .withRewards(RewardSettings.defaults().withKl(new KlController.Fixed(0)))
                .withAdvantages(new AdvantageSettings(1, 0, false))
                .withLosses(LossSettings.defaults().withAggregation(Aggregation.SEQUENCE_SUM));
        PpoFixture.builder(spy, config)
                .prompts(List.of(PpoFixture.prompt("aa")))
                .rewardModel(five)
                .build()
                .step();
        ScoredSequence trained = spy.batches.get(0).sequences().get(0);
        assertThat(trained.tokens()).isEqualTo(TokenSequence.of(0, 0, 1, PpoFixture.LETTERS.end()));
        assertThat(trained.positions()).containsExactly(2, 3);
        assertThat(spy.gradients.get(0)[0]).containsExactly(new double[] {0, -5}, offset(1e-9));
    }

    /** A dense reward is paid where it was earned: with λ = 0 and values 0 each token's advantage is its own reward. */
    @Test
    void rewardsPaidTokenByTokenLandOnTheirTokens() {
        GradientSpy spy = new GradientSpy();
        spy.setLogits(PpoFixture.LETTERS.encode("aa"), -50, 50, -50);
        spy.setLogits(PpoFixture.LETTERS.encode("aab"), -50, -50, 50);
        PpoConfig config = PpoFixture.config(1, new BatchPlan(1, 1))
                .withEpochs(1)
                .withRewards(RewardSettings.defaults().withKl(new KlController.Fixed(0)))
                .withAdvantages(new AdvantageSettings(1, 0, false))
                .withLosses(LossSettings.defaults().withAggregation(Aggregation.SEQUENCE_SUM));
        StepReport report = PpoFixture.builder(spy, config)
                .prompts(List.of(PpoFixture.prompt("aa")))
                .rewardModel(tokenRewards((exchange, tokens) -> new double[] {2, 3}))
                .build()
                .step();
        assertThat(spy.gradients.get(0)[0]).containsExactly(new double[] {-2, -3}, offset(1e-9));
        assertThat(report.metric("objective/score")).isEqualTo(5);
    }

    @Test
    void aRewardModelThatPaysTheWrongNumberOfTokensIsNamed() {
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(1, PLAN))
                .rewardModel(tokenRewards((exchange, tokens) -> new double[tokens.length() + 1]))
                .build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("tokens of exchange 0")
                .hasMessageContaining("one for each, the stop token included");
    }

    private static RewardModel tokenRewards(BiFunction<Exchange, TokenSequence, double[]> rule) {
        return new RewardModel() {
            @Override
            public double[] score(List<Exchange> batch) {
                throw new UnsupportedOperationException("asked for whole responses");
            }

            @Override
            public double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
                return IntStream.range(0, batch.size())
                        .mapToObj(i -> rule.apply(batch.get(i), responses.get(i)))
                        .toArray(double[][]::new);
            }
        };
    }

    /** Where the stop token doubles as padding it is masked away, and a policy never learns to stop. */
    @Test
    void thePolicyLearnsToStop() {
        TabularPolicy policy = PpoFixture.policy();
        double before = policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1)[PpoFixture.LETTERS.end()];
        RewardModel brevity =
                batch -> batch.stream().mapToDouble(e -> -e.response().length()).toArray();
        PpoTrainer trainer = PpoFixture.builder(policy, PpoFixture.config(30, PLAN))
                .rewardModel(brevity)
                .build();
        StepReport first = trainer.step();
        StepReport last = first;
        while (!trainer.finished()) {
            last = trainer.step();
        }
        double after = policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1)[PpoFixture.LETTERS.end()];
        assertThat(Math.exp(before)).isLessThan(0.7);
        assertThat(Math.exp(after)).isGreaterThan(0.9);
        assertThat(last.metric("rollout/length")).isLessThan(first.metric("rollout/length"));
        assertThat(last.metric("rollout/stopped")).isGreaterThanOrEqualTo(0.9);
    }

    @Test
    void anUnstoppedResponseScoresMinusOneWhateverTheRewardModelSays() {
        TabularPolicy endless =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd());
        endless.setLogits(PpoFixture.LETTERS.encode("a"), 0, -50, -50);
        RewardModel hundred = batch -> batch.stream().mapToDouble(e -> 100).toArray();
        StepReport report = PpoFixture.builder(endless, PpoFixture.config(1, PLAN))
                .prompts(List.of(PpoFixture.prompt("a")))
                .rewardModel(hundred)
                .build()
                .step();
        assertThat(report.metric("rollout/stopped")).isZero();
        assertThat(report.metric("objective/score")).isEqualTo(100);
        assertThat(report.metric("objective/reward")).isCloseTo(-1, offset(1e-9));
        assertThat(report.metric("rollout/length")).isEqualTo(4);
        assertThat(report.metric("rollout/distinct")).isEqualTo(1.0 / 8);
    }

    // The reference

    @Test
    void theReferenceIsNeverTrained() throws IOException {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy warm = PpoFixture.policy();
        PpoFixture.builder(warm, PpoFixture.config(2, PLAN)).build().run();
        TabularPolicy reference = warm.copy();
        byte[] before = bits(reference, "before");
        PpoFixture.builder(policy, PpoFixture.config(10, PLAN))
                .reference(reference)
                .build()
                .run();
        assertThat(bits(reference, "after")).isEqualTo(before);
        assertThat(logProbs(policy)).isNotEqualTo(logProbs(PpoFixture.policy()));
    }

    private byte[] bits(TabularPolicy policy, String name) throws IOException {
        Path saved = Files.createDirectory(directory.resolve(name));
        policy.saveState(saved);
        return Files.readAllBytes(saved.resolve("table.bin"));
    }

    @Test
    void theKlIsThatToTheReference() {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd());
        StepReport report = PpoFixture.builder(policy, PpoFixture.config(1, new BatchPlan(2048, 2048)))
                .prompts(List.of(PpoFixture.prompt("aa")))
                .reference(reference)
                .build()
                .step();
        TokenSequence prompt = PpoFixture.LETTERS.encode("aa");
        double exact = PpoFixture.policy()
                .responses(prompt, PpoFixture.SAMPLING)
                .kl(reference.responses(prompt, PpoFixture.SAMPLING));
        // Five standard errors of a mean of 2048 log ratios with a deviation of about 0.7.
        assertThat(report.metric("objective/kl")).isCloseTo(exact, offset(0.08));
        assertThat(report.metric("objective/kl_k3")).isCloseTo(exact, offset(0.08));
        assertThat(exact).isGreaterThan(0.1);
    }

    // Batches

    @ParameterizedTest
    @EnumSource
    void theBudgetOfAPassDoesNotChangeTheResult(Aggregation aggregation) {
        PpoConfig config =
                PpoFixture.config(1, PLAN).withLosses(LossSettings.defaults().withAggregation(aggregation));
        TabularPolicy whole = PpoFixture.policy();
        StepReport expected = firstStep(whole, config);
        assertThat(logProbs(whole)).isNotEqualTo(logProbs(PpoFixture.policy()));
        for (int tokens : new int[] {1, 10, 17}) {
            TabularPolicy cut = PpoFixture.policy();
            StepReport report = firstStep(cut, config.withMicroBatchTokens(tokens));
            assertThat(logProbs(cut)).containsExactly(logProbs(whole), offset(1e-12));
            for (String metric : List.of("ppo/policy_loss", "ppo/value_loss", "ppo/approx_kl", "ppo/clip_fraction")) {
                assertThat(report.metric(metric)).as(metric).isCloseTo(expected.metric(metric), offset(1e-12));
            }
        }
    }

    /** Sorting by length happens within a minibatch, whatever a pass may hold: an update learns from the same sequences. */
    @Test
    void whichSequencesMakeAMinibatchDoesNotDependOnTheBudget() {
        PpoConfig config = PpoFixture.config(1, new BatchPlan(8, 4));
        List<List<ScoredSequence>> whole = minibatches(config);
        assertThat(whole).hasSize(8);
        assertThat(minibatches(config.withMicroBatchTokens(10))).isEqualTo(whole);
        assertThat(minibatches(config.withMicroBatchTokens(1))).isEqualTo(whole);
    }

    private static List<List<ScoredSequence>> minibatches(PpoConfig config) {
        GradientSpy spy = new GradientSpy();
        firstStep(spy, config);
        List<ScoredSequence> passed = spy.batches.stream()
                .flatMap(batch -> batch.sequences().stream())
                .toList();
        return IntStream.range(0, passed.size() / 4)
                .mapToObj(m -> passed.subList(4 * m, 4 * m + 4))
                .toList();
    }

    @Test
    void noPassIsLargerThanTheBudgetAndTheLongestComeFirst() {
        GradientSpy spy = new GradientSpy();
        firstStep(spy, PpoFixture.config(1, PLAN).withMicroBatchTokens(10));
        assertThat(spy.batches).hasSizeGreaterThan(4 * 2).allSatisfy(batch -> assertThat(batch.tokenCount())
                .isLessThanOrEqualTo(10));
        List<Integer> lengths = spy.batches.stream()
                .flatMap(batch -> batch.sequences().stream())
                .limit(PLAN.minibatch())
                .map(ScoredSequence::length)
                .toList();
        assertThat(lengths).isSortedAccordingTo(Comparator.reverseOrder());
    }

    @Test
    void theSameSeedGivesTheSameRunAndAnotherSeedAnother() {
        List<StepReport> first = run(PpoFixture.policy(), PpoFixture.config(4, PLAN));
        assertThat(run(PpoFixture.policy(), PpoFixture.config(4, PLAN))).isEqualTo(first);
        PpoConfig other = PpoConfig.of(4, PLAN, PpoFixture.SAMPLING, 43);
        assertThat(run(PpoFixture.policy(), other)).isNotEqualTo(first);
    }

    private static List<StepReport> run(TabularPolicy policy, PpoConfig config) {
        List<StepReport> reports = new ArrayList<>();
        PpoFixture.builder(policy, config).build().run((trainer, report) -> reports.add(report));
        return reports;
    }

    @Test
    void listenersSeeWhatWasSampled() {
        List<RolloutSample> seen = new ArrayList<>();
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(1, PLAN))
                .onRollout((iteration, samples) -> {
                    assertThat(iteration).isEqualTo(1);
                    seen.addAll(samples);
                })
                .build();
        StepReport report = trainer.step();
        assertThat(seen).hasSize(8).allSatisfy(sample -> {
            assertThat(sample.score()).isEqualTo(PpoFixture.COUNT_B.score(List.of(sample.exchange()))[0]);
            assertThat(sample.tokens()).isEqualTo(sample.exchange().response().length() + (sample.stopped() ? 1 : 0));
        });
        assertThat(seen.stream().mapToDouble(RolloutSample::score).average().orElseThrow())
                .isEqualTo(report.metric("objective/score"));
    }

    // The KL coefficient, early stop, PPO-ptx

    @Test
    void theControllerMovesTheCoefficientOfTheNextIteration() {
        KlController controller = KlController.Adaptive.perSequence(0.2, 1);
        PpoConfig config =
                PpoFixture.config(2, PLAN).withRewards(RewardSettings.defaults().withKl(controller));
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), config).build();
        StepReport first = trainer.step();
        assertThat(first.metric("objective/kl_coefficient")).isEqualTo(0.2);
        double expected = controller.next(0.2, first.metric("objective/kl"), 8);
        assertThat(trainer.klCoefficient()).isEqualTo(expected).isNotEqualTo(0.2);
        assertThat(trainer.step().metric("objective/kl_coefficient")).isEqualTo(expected);
    }

    @Test
    void updatesStopWhenThePolicyHasMovedTooFar() {
        PpoConfig config =
                PpoFixture.config(1, PLAN).withGuards(GuardSettings.defaults().withApproximateKlLimit(1e-9));
        // The first update is on-policy; the second sees that the first has moved the policy.
        assertThat(firstStep(PpoFixture.policy(), config).metric("ppo/updates")).isEqualTo(2);
    }

    @Test
    void pretrainingTextKeepsItsProbability() {
        ScoredSequence text = ScoredSequence.ofText(PpoFixture.LETTERS.encode("aaaaaa"));
        double before =
                PpoFixture.policy().score(new SequenceBatch(List.of(text))).sequenceLogProb(0);
        TabularPolicy policy = PpoFixture.policy();
        PpoConfig config =
                PpoFixture.config(10, PLAN).withLosses(LossSettings.defaults().withPtx(27.8, 3));
        PpoTrainer trainer =
                PpoFixture.builder(policy, config).pretraining(List.of(text)).build();
        double firstLoss = trainer.step().metric("ptx/loss");
        trainer.run();
        double after = policy.score(new SequenceBatch(List.of(text))).sequenceLogProb(0);
        assertThat(after).isGreaterThan(before + 1);
        assertThat(firstLoss).isLessThan(-before / 5 + 1e-9).isGreaterThan(-after / 5);
        assertThatThrownBy(() -> PpoFixture.builder(PpoFixture.policy(), config).build())
                .hasMessageContaining("ptxCoefficient is 27.8")
                .hasMessageContaining("pretraining(…)");
    }

    @Test
    void anEntropyBonusKeepsThePolicyWider() {
        PpoConfig plain = PpoFixture.config(40, PLAN);
        PpoConfig bonus = plain.withLosses(LossSettings.defaults().withEntropyCoefficient(1));
        List<StepReport> without = run(PpoFixture.policy(), plain);
        List<StepReport> with = run(PpoFixture.policy(), bonus);
        assertThat(with.get(39).metric("objective/entropy"))
                .isGreaterThan(without.get(39).metric("objective/entropy") + 0.1);
    }

    // Checkpoints

    @Test
    void aResumedRunEqualsTheUninterruptedOneBitForBit() throws IOException {
        PpoConfig config = PpoFixture.config(6, new BatchPlan(8, 4)).withMicroBatchTokens(10);
        TabularPolicy straight = PpoFixture.policy();
        List<StepReport> expected = run(straight, config);

        TabularPolicy policy = PpoFixture.policy();
        PpoTrainer first = PpoFixture.builder(policy, config).build();
        for (int i = 0; i < 3; i++) {
            assertThat(first.step()).isEqualTo(expected.get(i));
        }
        first.save(directory.resolve("checkpoint"));
        TabularPolicy resumed = PpoFixture.policy();
        PpoTrainer second = PpoFixture.builder(resumed, config)
                .reference(PpoFixture.policy())
                .build();
        second.restore(directory.resolve("checkpoint"));
        assertThat(second.stepsDone()).isEqualTo(3);
        List<StepReport> rest = new ArrayList<>();
        second.run((trainer, report) -> rest.add(report));
        assertThat(rest).isEqualTo(expected.subList(3, 6));
        assertThat(bits(resumed, "resumed")).isEqualTo(bits(straight, "straight"));
    }

    @Test
    void aSharedTrunkResumesToo() throws IOException {
        PpoConfig config = PpoFixture.config(4, PLAN);
        PpoTrainer first = sharedTrunk(config);
        first.step();
        first.step();
        first.save(directory.resolve("checkpoint"));
        PpoTrainer second = sharedTrunk(config);
        second.restore(directory.resolve("checkpoint"));
        assertThat(second.step()).isEqualTo(first.step());
        assertThat(second.step()).isEqualTo(first.step());
    }

    /** A rollout has one pass of the trunk beside the sampling, for the values: the log-probs came with the samples. */
    @Test
    void aSharedTrunkIsNotAskedTwiceAboutARollout() {
        PpoConfig config = PpoFixture.config(1, PLAN);
        TabularActorCritic model = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        List<String> passes = new ArrayList<>();
        ActorCritic counted = (ActorCritic) Proxy.newProxyInstance(
                ActorCritic.class.getClassLoader(), new Class<?>[] {ActorCritic.class}, (proxy, method, arguments) -> {
                    passes.add(method.getName());
                    return method.invoke(model, arguments);
                });
        PpoFixture.builder(model, config)
                .policy(counted)
                .critic(Critic.sharedTrunk())
                .build()
                .step();
        assertThat(Collections.frequency(passes, "complete")).isEqualTo(1);
        assertThat(Collections.frequency(passes, "values")).isEqualTo(1);
        assertThat(Collections.frequency(passes, "forwardJointly"))
                .isEqualTo(config.epochs() * config.batches().minibatches());
        assertThat(passes).doesNotContain("score", "forward");
    }

    private static PpoTrainer sharedTrunk(PpoConfig config) {
        TabularActorCritic model = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        return PpoFixture.builder(model, config).critic(Critic.sharedTrunk()).build();
    }

    @Test
    void aCheckpointOfOtherSettingsIsRefusedByName() throws IOException {
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(2, PLAN))
                .build();
        trainer.step();
        Path checkpoint = directory.resolve("checkpoint");
        trainer.save(checkpoint);
        PpoTrainer other = PpoFixture.builder(
                        PpoFixture.policy(), PpoFixture.config(2, PLAN).withEpochs(3))
                .build();
        assertThatThrownBy(() -> other.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("epochs was 4, is 3");
        assertThat(other.stepsDone()).isZero();
    }

    @Test
    void aCheckpointOfOtherDataIsRefusedByName() throws IOException {
        PpoConfig config =
                PpoFixture.config(2, PLAN).withLosses(LossSettings.defaults().withPtx(27.8, 3));
        List<ScoredSequence> texts = List.of(ScoredSequence.ofText(PpoFixture.LETTERS.encode("aaaa")));
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), config)
                .pretraining(texts)
                .build();
        trainer.step();
        Path checkpoint = directory.resolve("checkpoint");
        trainer.save(checkpoint);
        PpoTrainer otherPrompts = PpoFixture.builder(PpoFixture.policy(), config)
                .pretraining(texts)
                .prompts(List.of(PpoFixture.prompt("aa"), PpoFixture.prompt("ab"), PpoFixture.prompt("bb")))
                .build();
        assertThatThrownBy(() -> otherPrompts.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("promptsSha256 was ")
                .hasMessageNotContaining("pretrainingSha256");
        PpoTrainer otherTexts = PpoFixture.builder(PpoFixture.policy(), config)
                .pretraining(List.of(ScoredSequence.ofText(PpoFixture.LETTERS.encode("aaab"))))
                .build();
        assertThatThrownBy(() -> otherTexts.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("pretrainingSha256 was ")
                .hasMessageNotContaining("promptsSha256");
        assertThat(otherTexts.stepsDone()).isZero();
    }

    @Test
    void aFlippedByteIsFoundAndNothingIsRestored() throws IOException {
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(2, PLAN))
                .build();
        trainer.step();
        Path checkpoint = directory.resolve("checkpoint");
        trainer.save(checkpoint);
        Path table = checkpoint.resolve("value").resolve("table.bin");
        byte[] bytes = Files.readAllBytes(table);
        bytes[bytes.length / 2] ^= 1;
        Files.write(table, bytes);
        TabularPolicy policy = PpoFixture.policy();
        PpoTrainer other =
                PpoFixture.builder(policy, PpoFixture.config(2, PLAN)).build();
        assertThatThrownBy(() -> other.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("table.bin");
        assertThat(other.stepsDone()).isZero();
        assertThat(logProbs(policy)).isEqualTo(logProbs(PpoFixture.policy()));
    }
}
