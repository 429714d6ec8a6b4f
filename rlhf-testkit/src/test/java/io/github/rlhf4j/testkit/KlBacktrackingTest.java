package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.KlBacktracking;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.DoubleFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A KL budget that undoes updates: no step ends past it, and what is left of the steps still learns. */
class KlBacktrackingTest {

    private static final BatchPlan PLAN = new BatchPlan(96, 48);
    private static final int STEPS = 12;
    private static final double BUDGET = 0.3;

    /** Unbounded, a few steps leave the budget behind. */
    private static final LearningRateSchedule RATE = new LearningRateSchedule.Constant(0.05);

    private static PpoConfig config(double budget) {
        PpoConfig config = PpoConfig.of(STEPS, PLAN, PpoFixture.SAMPLING, 9).withRates(RATE, RATE);
        return config.withRewards(config.rewards().withKl(new KlController.Fixed(0)))
                .withGuards(GuardSettings.defaults().withKlBudget(budget));
    }

    private static PpoTrainer separate(TabularPolicy policy, double budget) {
        return PpoFixture.builder(policy, config(budget)).build();
    }

    private static TabularPolicy trunk() {
        return new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
    }

    private static PpoTrainer sharedTrunk(TabularPolicy policy, double budget) {
        return PpoFixture.builder(policy, config(budget))
                .critic(Critic.sharedTrunk())
                .reference(TabularPolicy.uniform(
                        PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd()))
                .build();
    }

    private static GroupTrainer group(TabularPolicy policy, double budget) {
        GroupConfig config = GroupConfig.of(STEPS, PLAN, 4, PpoFixture.SAMPLING, GroupAlgorithm.drGrpo(), 9)
                .withEpochs(4)
                .withRate(RATE)
                .withGuards(GuardSettings.defaults().withKlBudget(budget));
        return groupTrainer(config, policy, policy.copy());
    }

    private static GroupTrainer groupTrainer(GroupConfig config, TabularPolicy policy, TabularPolicy reference) {
        return GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(reference)
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS)
                .build();
    }

    private static List<StepReport> run(Trainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        trainer.run((t, report) -> reports.add(report));
        return reports;
    }

    private record Setting(Supplier<TabularPolicy> policy, BiFunction<TabularPolicy, Double, Trainer> trainer) {}

    static Stream<Setting> trainers() {
        return Stream.of(
                new Setting(PpoFixture::policy, KlBacktrackingTest::separate),
                new Setting(KlBacktrackingTest::trunk, KlBacktrackingTest::sharedTrunk),
                new Setting(PpoFixture::policy, KlBacktrackingTest::group));
    }

    @ParameterizedTest
    @MethodSource("trainers")
    void noStepEndsPastTheBudgetAndTheRewardRises(Setting setting) {
        TabularPolicy policy = setting.policy().get();
        TabularPolicy reference = policy.copy();
        List<StepReport> reports = new ArrayList<>();
        setting.trainer().apply(policy, BUDGET).run((trainer, report) -> {
            reports.add(report);
            assertThat(exactKl(policy, reference)).isLessThanOrEqualTo(BUDGET);
            return true;
        });
        assertThat(reports).hasSize(STEPS).allSatisfy(report -> assertThat(report.metric("budget/kl"))
                .isLessThanOrEqualTo(report.metric("budget/kl_bound")));
        assertThat(exactKl(policy, reference)).isGreaterThan(0.2 * BUDGET);
        assertThat(reports.stream().mapToDouble(r -> r.metric("budget/undone")).sum())
                .isPositive();
        assertThat(reports.get(STEPS - 1).metric("objective/reward"))
                .isGreaterThan(reports.get(0).metric("objective/reward") + 0.2);
        List<StepReport> unbounded =
                run(setting.trainer().apply(setting.policy().get(), 0.0));
        assertThat(unbounded.get(STEPS - 1).metric("objective/kl")).isGreaterThan(1);
        assertThat(unbounded.get(STEPS - 1).metrics()).doesNotContainKey("budget/kl");
    }

    /** KL(π‖π_ref) by listing all responses to each prompt: what rollouts only estimate. Nats per sequence. */
    static double exactKl(TabularPolicy policy, TabularPolicy reference) {
        return PpoFixture.PROMPTS.stream()
                .mapToDouble(prompt -> policy.responses(prompt.tokens(), PpoFixture.SAMPLING)
                        .kl(reference.responses(prompt.tokens(), PpoFixture.SAMPLING)))
                .average()
                .orElseThrow();
    }

    /**
     * A policy at its limit asks whether it may go on as often as there are steps, and takes each answer that is too low; the
     * smaller the rollouts, the more of them there are. That no run of these passes its budget at all is more than the 95 %
     * that are promised.
     */
    @ParameterizedTest
    @CsvSource({"16, 1", "16, 2", "48, 1", "48, 2", "192, 1"})
    void overHundredsOfStepsTheKlOfAllResponsesStaysWithinTheBudget(int rollout, int seed) {
        double budget = 0.5;
        GroupConfig config = GroupConfig.of(
                        300, new BatchPlan(rollout, rollout), 4, PpoFixture.SAMPLING, GroupAlgorithm.drGrpo(), seed)
                .withEpochs(4)
                .withRate(RATE)
                .withGuards(GuardSettings.defaults().withKlBudget(budget));
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        GroupTrainer trainer = groupTrainer(config, policy, reference);
        double largest = 0;
        while (!trainer.finished()) {
            trainer.step();
            largest = Math.max(largest, exactKl(policy, reference));
        }
        assertThat(largest).isBetween(0.3 * budget, budget);
    }

    @ParameterizedTest
    @MethodSource("trainers")
    void aBudgetThatIsNotReachedChangesNothing(Setting setting) {
        List<StepReport> free = run(setting.trainer().apply(setting.policy().get(), 0.0));
        List<StepReport> ample = run(setting.trainer().apply(setting.policy().get(), 1e6));
        for (int i = 0; i < STEPS; i++) {
            assertThat(ample.get(i).metrics())
                    .containsAllEntriesOf(free.get(i).metrics())
                    .containsEntry("budget/undone", 0.0)
                    .containsEntry("budget/rate_factor", 1.0);
        }
    }

    @Test
    void whereNoStepFitsNothingMoves() {
        TabularPolicy policy = PpoFixture.policy();
        double[] before = policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1);
        for (StepReport report : run(separate(policy, 1e-12))) {
            assertThat(report.metric("ppo/updates")).isZero();
            assertThat(report.metric("budget/rate_factor")).isZero();
            assertThat(report.metric("budget/undone")).isEqualTo(11);
            assertThat(report.metric("ppo/learning_rate")).isZero();
            assertThat(report.metric("ppo/value_learning_rate")).isEqualTo(0.05);
        }
        assertThat(policy.logProbs(PpoFixture.LETTERS.encode("aa"), 1)).containsExactly(before);
    }

    /** If states did not go back, the next attempt would begin elsewhere; the ratios at its first update say so. */
    @Test
    void aPolicyThatDoesNotRestoreItsStateIsFound() {
        TabularPolicy forgetful =
                new TabularPolicy(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, PpoFixture.policy().table) {
                    @Override
                    public void restoreState(Path directory) {}
                };
        PpoTrainer trainer = PpoFixture.builder(forgetful, config(1e-6))
                .reference(PpoFixture.policy())
                .build();
        assertThatThrownBy(trainer::step).hasMessageContaining("sampler and scorer disagree");
    }

    // One step by itself

    /** Remembers where its state was saved. */
    private static final class Saving extends TabularPolicy {

        private final List<Path> saved = new ArrayList<>();

        Saving() {
            super(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, PpoFixture.policy().table);
        }

        @Override
        public void saveState(Path directory) throws IOException {
            saved.add(directory);
            super.saveState(directory);
        }
    }

    private final TabularPolicy reference = PpoFixture.policy();
    private final TokenSequence prompt = PpoFixture.LETTERS.encode("aa");

    private KlBacktracking.Outcome<UpdateReport> step(
            TabularPolicy policy, double budget, DoubleFunction<UpdateReport> updates) {
        List<Completion> completions = policy.complete(Collections.nCopies(200, prompt), PpoFixture.SAMPLING, 3);
        SequenceBatch batch = SequenceBatch.ofCompletions(completions, 1);
        double[][] sampled = policy.score(batch).logProbs();
        return new KlBacktracking(budget, 1, policy, policy, 4096)
                .update(batch, sampled, sampled, reference.score(batch).logProbs(), updates);
    }

    @Test
    void theStateOnTheDiskIsGoneAfterwardsAlsoWhenAnUpdateFails() {
        Saving policy = new Saving();
        assertThat(step(policy, 1, factor -> new UpdateReport(0, false)).kl()).isCloseTo(0, within(1e-12));
        assertThatThrownBy(() -> step(policy, 1, factor -> {
                    throw new IllegalStateException("out of memory");
                }))
                .hasMessage("out of memory");
        assertThat(policy.saved).hasSize(2).noneMatch(Files::exists);
    }

    /** Ends in the middle of a step, told to from outside. */
    static final class EndsInAStep {

        private EndsInAStep() {}

        public static void main(String[] arguments) {
            new KlBacktrackingTest().step(PpoFixture.policy(), 1, factor -> {
                System.exit(3);
                return new UpdateReport(0, false);
            });
        }
    }

    @Test
    void theStateOnTheDiskIsGoneWhenTheVirtualMachineIsToldToEnd(@TempDir Path temporary) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + temporary,
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        EndsInAStep.class.getName())
                .inheritIO()
                .start();
        assertThat(process.waitFor()).isEqualTo(3);
        assertThat(temporary).isEmptyDirectory();
    }

    @Test
    void theRateIsHalvedUntilTheStepFits() {
        TabularPolicy policy = PpoFixture.policy();
        double[] logits = policy.logProbs(prompt, 1);
        List<Double> factors = new ArrayList<>();
        KlBacktracking.Outcome<UpdateReport> outcome = step(policy, 0.05, factor -> {
            factors.add(factor);
            policy.setLogits(prompt, logits[0], logits[1] + 4 * factor, logits[2]);
            return new UpdateReport(0, false);
        });
        assertThat(factors).startsWith(1.0, 0.5, 0.25).hasSize(outcome.undone() + 1);
        assertThat(outcome.rateFactor()).isEqualTo(factors.get(factors.size() - 1));
        assertThat(outcome.kl()).isLessThan(outcome.bound());
        assertThat(outcome.bound()).isLessThanOrEqualTo(0.05);
    }

    @Test
    void theRateThatIsReportedIsTheOneOfTheUpdatesThatWereKept() {
        for (Setting setting : trainers().toList()) {
            for (StepReport report :
                    run(setting.trainer().apply(setting.policy().get(), BUDGET))) {
                String path =
                        report.metrics().containsKey("ppo/learning_rate") ? "ppo/learning_rate" : "group/learning_rate";
                assertThat(report.metric(path)).isEqualTo(0.05 * report.metric("budget/rate_factor"));
            }
        }
    }

    /** A policy past the budget may come nearer, and not go further; there is no rate to search for. */
    @Test
    void aPolicyPastTheBudgetMayComeBack() {
        TabularPolicy policy = PpoFixture.policy();
        double[] logits = policy.logProbs(prompt, 1);
        policy.setLogits(prompt, logits[0], logits[1] + 1, logits[2]);
        KlBacktracking.Outcome<UpdateReport> back = step(policy, 0.01, factor -> {
            policy.setLogits(prompt, logits[0], logits[1] + 1 - 0.1 * factor, logits[2]);
            return new UpdateReport(0, false);
        });
        assertThat(back.rateFactor()).isPositive();
        assertThat(back.kl()).isGreaterThan(0.01);
        KlBacktracking.Outcome<UpdateReport> away = step(policy, 0.01, factor -> {
            policy.setLogits(prompt, logits[0], logits[1] + 1 + 0.1 * factor, logits[2]);
            return new UpdateReport(0, false);
        });
        assertThat(away.rateFactor()).isZero();
        assertThat(away.undone()).isEqualTo(1);
    }

    /** A step so large that none of the responses is likely any more leaves weights of 0, and a KL that seems small. */
    @Test
    void aStepThatTheRolloutCannotSeeIsUndone() {
        TabularPolicy policy = PpoFixture.policy();
        double[] logits = policy.logProbs(prompt, 1);
        KlBacktracking.Outcome<UpdateReport> outcome = step(policy, 5, factor -> {
            policy.setLogits(prompt, logits[0] - 40 * factor, logits[1] - 40 * factor, logits[2] + 1);
            return new UpdateReport(0, false);
        });
        assertThat(outcome.undone()).isPositive();
    }

    @Test
    void aBudgetBelowZeroIsRefused() {
        assertThatThrownBy(() -> GuardSettings.defaults().withKlBudget(-1)).hasMessageContaining("klBudget");
    }
}
