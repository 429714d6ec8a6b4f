package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.ImplicitRewardModel;
import io.github.rlhf4j.ppo.preference.math.ConservativeDpoLoss;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.PairLoss;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Where training on preferences ends, where that is known in closed form. */
class DpoConvergenceTest {

    private static final double BETA = 0.5;

    private static DpoConfig config(int steps, int batch, PairLoss loss) {
        return DpoFixture.config(steps)
                .withBatchSize(batch)
                .withLoss(loss)
                .withSchedule(new LearningRateSchedule.WarmupLinear(0.1, 0, steps));
    }

    /**
     * With preferences as a Bradley–Terry model with reward r would give them, the maximum of DPO's likelihood is at the
     * policy whose implicit reward is r, which is π_ref·exp(r/β)/Z: the optimum of KL-regularised reinforcement learning
     * (Rafailov et al. 2023, §4 and theorem 1), at the temperature that the policies are trained, and sampled, at.
     */
    @ParameterizedTest
    @ValueSource(doubles = {1, 0.4})
    void directPreferenceOptimisationLeadsToTheOptimumOfReinforcementLearning(double temperature) {
        Sampling sampling = Sampling.exact(DpoFixture.LONGEST, temperature, DpoFixture.SAMPLING.stopTokens());
        TabularPolicy policy = DpoFixture.policy();
        TabularPolicy reference = policy.copy();
        PreferenceDataset preferences = DpoFixture.bradleyTerry();
        DpoTrainer trainer = DpoFixture.builder(
                        policy,
                        config(300, preferences.size(), new DpoLoss(BETA)).withTemperature(temperature))
                .preferences(preferences)
                .build();
        trainer.run();
        for (String prompt : DpoFixture.PROMPTS) {
            TokenSequence tokens = DpoFixture.LETTERS.encode(prompt);
            ResponseDistribution before = reference.responses(tokens, sampling);
            ResponseDistribution optimal =
                    before.optimal(y -> DpoFixture.reward(prompt, DpoFixture.LETTERS.decode(y)), BETA);
            ResponseDistribution after = policy.responses(tokens, sampling);
            assertThat(before.probabilities()).hasSize(DpoFixture.RESPONSES.size());
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.15);
            assertThat(after.totalVariation(optimal)).isLessThan(0.002);
        }
        assertImplicitRewardsAreTheRewards(policy, reference, temperature);
    }

    /** Up to the constant β·log Z of each prompt. */
    private static void assertImplicitRewardsAreTheRewards(
            TabularPolicy policy, TabularPolicy reference, double temperature) {
        ImplicitRewardModel model = ImplicitRewardModel.of(
                        policy, reference, DpoFixture.FORMAT, ImplicitReward.logRatio(BETA))
                .withTemperature(temperature);
        for (String prompt : DpoFixture.PROMPTS) {
            double[] scores = model.score(DpoFixture.RESPONSES.stream()
                    .map(response -> Exchange.of(prompt, response))
                    .toList());
            double constant = scores[0] - DpoFixture.reward(prompt, DpoFixture.RESPONSES.get(0));
            for (int i = 0; i < scores.length; i++) {
                assertThat(scores[i] - constant)
                        .isCloseTo(DpoFixture.reward(prompt, DpoFixture.RESPONSES.get(i)), within(0.01));
            }
        }
    }

    /** Of two responses, one preferred three times in four: the log-ratios differ by this much in the end. */
    private static Stream<Arguments> twoResponses() {
        double epsilon = 0.1;
        double smoothed = 0.75 * (1 - epsilon) + 0.25 * epsilon;
        return Stream.of(
                Arguments.of(new DpoLoss(BETA), Math.log(3) / BETA),
                Arguments.of(new ConservativeDpoLoss(BETA, epsilon), Math.log(smoothed / (1 - smoothed)) / BETA),
                Arguments.of(new IpoLoss(BETA), (2 * 0.75 - 1) / (2 * BETA)));
    }

    @ParameterizedTest
    @MethodSource("twoResponses")
    void twoResponsesEndThisFarApart(PairLoss loss, double logRatio) {
        TabularPolicy policy = DpoFixture.policy();
        TabularPolicy reference = policy.copy();
        Conversation prompt = Conversation.of("aa");
        List<Ranking> votes = Stream.concat(
                        Collections.nCopies(3, Ranking.ofPair(prompt, "a", "bb")).stream(),
                        Stream.of(Ranking.ofPair(prompt, "bb", "a")))
                .toList();
        DpoFixture.builder(policy, config(300, 4, loss))
                .preferences(PreferenceDataset.of(votes))
                .build()
                .run();
        double[] logRatios = ImplicitRewardModel.of(policy, reference, DpoFixture.FORMAT, ImplicitReward.logRatio(1))
                .score(List.of(Exchange.of("aa", "a"), Exchange.of("aa", "bb")));
        assertThat(logRatios[0] - logRatios[1]).isCloseTo(logRatio, within(0.01));
    }
}
