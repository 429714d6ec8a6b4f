package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * PPO with a per-token K1 penalty converges to π_ref·exp(r/β)/Z, which can be listed here.
 *
 * <p>Why that is its fixed point: the expected policy gradient of Σ_t r_t = r(y) − β·log π(y)/π_ref(y) is the gradient of
 * E[r] − β·KL(π‖π_ref), for the direct derivative of the log π in the reward has expectation 0. And there the return of
 * <em>every</em> response is β·log Z, so that with the value function at β·log Z each advantage, not just their mean, is
 * 0: sampling noise dies out at the optimum instead of scattering the policy around it, as long as advantages are not
 * whitened back to variance 1.
 */
class PpoConvergenceTest {

    private static final double BETA = 0.5;

    private static double reward(TokenSequence response) {
        return reward(PpoFixture.LETTERS.decode(response));
    }

    private static double reward(String text) {
        return text.startsWith("b") ? 1 + 0.25 * text.length() : text.endsWith("a") ? -0.5 : 0;
    }

    private static final RewardModel REWARD =
            batch -> batch.stream().mapToDouble(e -> reward(e.response())).toArray();

    private static PpoConfig config(int iterations) {
        return PpoConfig.of(iterations, new BatchPlan(128, 64), PpoFixture.SAMPLING, 7)
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(BETA))
                        .withMissingStop(new MissingStop.Keep()))
                .withAdvantages(AdvantageSettings.defaults().withWhiten(false))
                .withLosses(LossSettings.defaults().withValue(new ClippedValueLoss(0), 1))
                .withRates(
                        new LearningRateSchedule.WarmupLinear(0.03, 0, iterations),
                        new LearningRateSchedule.WarmupLinear(0.1, 0, iterations));
    }

    /**
     * Within a total variation of 0.01: no event's probability is off by more than a hundredth, where it was off by a
     * fifth and more. Runs of this length come to 0.001 or 0.002, the rest being contexts visited a few dozen times.
     */
    private static void assertConverged(TabularPolicy trained, TabularPolicy reference, List<Prompt> prompts) {
        for (Prompt prompt : prompts) {
            ResponseDistribution before = reference.responses(prompt.tokens(), PpoFixture.SAMPLING);
            ResponseDistribution optimal = before.optimal(PpoConvergenceTest::reward, BETA);
            ResponseDistribution after = trained.responses(prompt.tokens(), PpoFixture.SAMPLING);
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.2);
            assertThat(after.totalVariation(optimal)).isLessThan(0.01);
            double found = after.expectation(PpoConvergenceTest::reward) - BETA * after.kl(before);
            double best = optimal.expectation(PpoConvergenceTest::reward) - BETA * optimal.kl(before);
            assertThat(found).isLessThanOrEqualTo(best + 1e-12).isCloseTo(best, offset(0.002));
        }
    }

    @Test
    void aSeparateCriticLeadsToTheOptimum() {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        PpoFixture.builder(policy, config(100)).rewardModel(REWARD).build().run();
        assertConverged(policy, reference, PpoFixture.PROMPTS);
    }

    @Test
    void aSharedTrunkLeadsToTheOptimum() {
        TabularActorCritic policy = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        TabularPolicy reference =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd());
        PpoTrainer.builder()
                .config(config(100))
                .policy(policy)
                .reference(reference)
                .rewardModel(REWARD)
                .critic(Critic.sharedTrunk())
                .prompts(PpoFixture.PROMPTS)
                .build()
                .run();
        assertConverged(policy, reference, PpoFixture.PROMPTS);
    }
}
