package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * With K1 in the reward, methods whose advantages are centred and not standardised converge to π_ref·exp(r/β)/Z, for the
 * reason that {@link PpoConvergenceTest} gives: there every response's reward is β·log Z, so that each advantage is 0.
 */
class GroupConvergenceTest {

    private static final double BETA = 0.5;
    private static final int ITERATIONS = 150;

    private static double reward(TokenSequence response) {
        return reward(PpoFixture.LETTERS.decode(response));
    }

    private static double reward(String text) {
        return text.startsWith("b") ? 1 + 0.25 * text.length() : text.endsWith("a") ? -0.5 : 0;
    }

    private static final RewardModel REWARD =
            batch -> batch.stream().mapToDouble(e -> reward(e.response())).toArray();

    private static RewardSettings klInReward(double beta) {
        return RewardSettings.defaults().withKl(new KlController.Fixed(beta)).withMissingStop(new MissingStop.Keep());
    }

    private static GroupTrainer trainer(
            TabularPolicy policy, GroupAlgorithm algorithm, Sampling sampling, double beta, int iterations) {
        GroupConfig config = GroupConfig.of(iterations, new BatchPlan(192, 192), 8, sampling, algorithm, 7)
                .withRewards(klInReward(beta))
                .withRate(new LearningRateSchedule.WarmupLinear(0.1, 0, iterations));
        return GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .rewardModel(REWARD)
                .prompts(PpoFixture.PROMPTS)
                .build();
    }

    static Stream<GroupAlgorithm> withTheKnownOptimum() {
        GroupAlgorithm rloo = GroupAlgorithm.rloo();
        return Stream.of(
                rloo,
                GroupAlgorithm.drGrpo(),
                rloo.withLoss(GroupAlgorithm.cispo().loss()),
                rloo.withLoss(GroupAlgorithm.gspo().loss()).withAggregation(Aggregation.SEQUENCE_MEAN),
                rloo.withLoss(new ClippedPolicyLoss(0.2)));
    }

    @ParameterizedTest
    @MethodSource
    void withTheKnownOptimum(GroupAlgorithm algorithm) {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        trainer(policy, algorithm, PpoFixture.SAMPLING, BETA, ITERATIONS).run();
        assertOptimal(policy, reference, 0.01);
    }

    /** Prompts differ in β·log Z, so that a baseline over all of them leaves noise at the optimum; it is the same one. */
    @Test
    void aBaselineOfAllPromptsLeadsThereWithMoreNoise() {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        trainer(policy, GroupAlgorithm.reinforce(), PpoFixture.SAMPLING, BETA, ITERATIONS)
                .run();
        assertOptimal(policy, reference, 0.03);
    }

    /**
     * For responses of one token the KL in the loss has a known optimum: that of K2 and of the exact KL is E[r] −
     * β·KL(π‖π_ref)'s, that of K3 is E[r] − β·KL(π_ref‖π)'s, {@link ForwardKlOptimum}.
     */
    @ParameterizedTest
    @MethodSource("io.github.rlhf4j.testkit.PpoKlLossTest#penalties")
    void theKlInTheLossLeadsToTheOptimumOfItsOwnDivergence(KlPenalty penalty) {
        Sampling oneToken = Sampling.exact(1, 1, Set.of());
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        trainer(policy, GroupAlgorithm.rloo().withLossKl(penalty), oneToken, 0, 300)
                .run();
        for (Prompt prompt : PpoFixture.PROMPTS) {
            ResponseDistribution before = reference.responses(prompt.tokens(), oneToken);
            ResponseDistribution reverse = before.optimal(GroupConvergenceTest::reward, BETA);
            ResponseDistribution forward = ForwardKlOptimum.of(before, GroupConvergenceTest::reward, BETA);
            ResponseDistribution after = policy.responses(prompt.tokens(), oneToken);
            assertThat(reverse.totalVariation(forward)).isGreaterThan(0.05);
            assertThat(after.totalVariation(PpoKlLossTest.isForward(penalty) ? forward : reverse))
                    .isLessThan(0.025);
        }
    }

    private static void assertOptimal(TabularPolicy trained, TabularPolicy reference, double tolerance) {
        for (Prompt prompt : PpoFixture.PROMPTS) {
            ResponseDistribution before = reference.responses(prompt.tokens(), PpoFixture.SAMPLING);
            ResponseDistribution optimal = before.optimal(GroupConvergenceTest::reward, BETA);
            ResponseDistribution after = trained.responses(prompt.tokens(), PpoFixture.SAMPLING);
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.2);
            assertThat(after.totalVariation(optimal)).isLessThan(tolerance);
            double found = after.expectation(GroupConvergenceTest::reward) - BETA * after.kl(before);
            double best = optimal.expectation(GroupConvergenceTest::reward) - BETA * optimal.kl(before);
            assertThat(found).isLessThanOrEqualTo(best + 1e-12).isCloseTo(best, offset(0.002));
        }
    }

    static Stream<Map.Entry<String, GroupAlgorithm>> everyMethod() {
        return Map.of(
                "grpo", GroupAlgorithm.grpo(),
                "drGrpo", GroupAlgorithm.drGrpo(),
                "dapo", GroupAlgorithm.dapo(new OverlongPunishment(4, 1)),
                "gspo", GroupAlgorithm.gspo(),
                "cispo", GroupAlgorithm.cispo(),
                "rloo", GroupAlgorithm.rloo(),
                "reinforce", GroupAlgorithm.reinforce(),
                "reinforcePlusPlus", GroupAlgorithm.reinforcePlusPlus(),
                "raft", GroupAlgorithm.raft(),
                "truncated", GroupAlgorithm.grpo().withCorrection(new RolloutCorrection.TokenTruncated(2)))
                .entrySet()
                .stream();
    }

    /** The mean score goes up by half of what there is to win. */
    @ParameterizedTest
    @MethodSource
    void everyMethod(Map.Entry<String, GroupAlgorithm> method) {
        GroupTrainer trainer = trainer(PpoFixture.policy(), method.getValue(), PpoFixture.SAMPLING, 0.05, 40);
        StepReport first = trainer.step();
        assertThat(first.metric("group/ratio")).isCloseTo(1, offset(1e-12));
        assertThat(first.metric("group/on_policy_error")).isCloseTo(0, offset(1e-12));
        assertThat(first.metric("group/correction")).isCloseTo(1, offset(1e-12));
        StepReport last = first;
        while (!trainer.finished()) {
            last = trainer.step();
        }
        double best = 2; // "bbbb" and its like
        assertThat(last.metric("objective/score")).isGreaterThan((first.metric("objective/score") + best) / 2);
        assertThat(last.metrics()).containsKeys("objective/kl_quarter_1", "rollout/score_length_correlation");
    }
}
