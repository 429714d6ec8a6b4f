package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Prompt;
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
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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

    private static PpoTrainer sharedTrunk(double budget) {
        TabularActorCritic policy = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
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
        return GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS)
                .build();
    }

    private static List<StepReport> run(Trainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        trainer.run((t, report) -> reports.add(report));
        return reports;
    }

    static Stream<BiFunction<TabularPolicy, Double, Trainer>> trainers() {
        return Stream.of(
                KlBacktrackingTest::separate, (policy, budget) -> sharedTrunk(budget), KlBacktrackingTest::group);
    }

    @ParameterizedTest
    @MethodSource("trainers")
    void noStepEndsPastTheBudgetAndTheRewardRises(BiFunction<TabularPolicy, Double, Trainer> trainer) {
        List<StepReport> reports = run(trainer.apply(PpoFixture.policy(), BUDGET));
        assertThat(reports).hasSize(STEPS).allSatisfy(report -> {
            double before = report.metric("objective/kl");
            assertThat(report.metric("budget/kl")).isLessThanOrEqualTo(Math.max(BUDGET, before));
            assertThat(before).as("on a fresh sample").isLessThan(BUDGET + 0.25);
        });
        assertThat(reports.stream().mapToDouble(r -> r.metric("budget/undone")).sum())
                .isPositive();
        assertThat(reports.get(STEPS - 1).metric("objective/reward"))
                .isGreaterThan(reports.get(0).metric("objective/reward") + 0.3);
        List<StepReport> unbounded = run(trainer.apply(PpoFixture.policy(), 0.0));
        assertThat(unbounded.get(STEPS - 1).metric("objective/kl")).isGreaterThan(1);
        assertThat(unbounded.get(STEPS - 1).metrics()).doesNotContainKey("budget/kl");
    }

    /** What the rollouts estimate, by listing all responses. */
    @Test
    void theKlOfAllResponsesIsWithinTheBudgetButForSampling() {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        PpoTrainer trainer = separate(policy, BUDGET);
        while (!trainer.finished()) {
            trainer.step();
            double kl = 0;
            for (Prompt prompt : PpoFixture.PROMPTS) {
                kl += policy.responses(prompt.tokens(), PpoFixture.SAMPLING)
                                .kl(reference.responses(prompt.tokens(), PpoFixture.SAMPLING))
                        / PpoFixture.PROMPTS.size();
            }
            assertThat(kl).isLessThan(1.5 * BUDGET);
        }
    }

    @ParameterizedTest
    @MethodSource("trainers")
    void aBudgetThatIsNotReachedChangesNothing(BiFunction<TabularPolicy, Double, Trainer> trainer) {
        List<StepReport> free = run(trainer.apply(PpoFixture.policy(), 0.0));
        List<StepReport> ample = run(trainer.apply(PpoFixture.policy(), 1e6));
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
        return new KlBacktracking(budget, policy, policy, 4096)
                .update(batch, sampled, reference.score(batch).logProbs(), updates);
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
        assertThat(outcome.kl()).isLessThanOrEqualTo(0.05);
    }

    /** A policy past the budget may come nearer, and not go further. */
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
