package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.ClippedPolicyLoss;
import io.github.rlhf4j.ppo.math.GrpoAdvantages;
import io.github.rlhf4j.ppo.math.GrpoAdvantages.Deviation;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.PolicyLoss;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** GRPO converges to {@link GrpoOptimum}, which is not where methods go that leave the standard deviation out. */
class GrpoOptimumTest {

    private static final LetterTokenizer LETTERS = DialogueFixture.LETTERS;
    private static final double BETA = 1;

    /** Two of the four responses. */
    private static boolean right(TokenSequence response) {
        return response.get(0) == 1 || response.get(0) == 2;
    }

    private static ResponseDistribution responses(TabularPolicy policy, Prompt prompt) {
        return policy.responses(prompt.tokens(), DialogueFixture.ONE_TOKEN);
    }

    /**
     * The expected slope of the library's own losses at each logit: over every group of n responses, with its probability.
     *
     * @param logits of the four responses
     */
    private static double[] expectedGradient(
            double[] logits, double[] reference, int n, GrpoAdvantages advantages, KlPenalty.Estimated kl) {
        double[] logProbs = logSoftmax(logits);
        PolicyLoss loss = new ClippedPolicyLoss(0.2);
        double[] weights = new double[n];
        Arrays.fill(weights, 1.0 / n);
        double[] gradient = new double[logits.length];
        for (int code = 0; code < Math.pow(logits.length, n); code++) {
            int[] drawn = new int[n];
            double[] rewards = new double[n];
            double[][] own = new double[n][1];
            double[][] references = new double[n][1];
            double logProbability = 0;
            for (int i = 0, rest = code; i < n; i++, rest /= logits.length) {
                drawn[i] = rest % logits.length;
                rewards[i] = right(TokenSequence.of(drawn[i])) ? 1 : 0;
                own[i][0] = logProbs[drawn[i]];
                references[i][0] = reference[drawn[i]];
                logProbability += logProbs[drawn[i]];
            }
            double[][] given = column(advantages.ofGroup(rewards));
            double[][] ofLoss = loss.evaluate(own, own, given, weights).gradient();
            double[][] ofKl = kl.evaluate(own, references, weights).gradient();
            for (int i = 0; i < n; i++) {
                for (int y = 0; y < logits.length; y++) {
                    gradient[y] += Math.exp(logProbability)
                            * (ofLoss[i][0] + ofKl[i][0])
                            * ((drawn[i] == y ? 1 : 0) - Math.exp(logProbs[y]));
                }
            }
        }
        return gradient;
    }

    private static double[][] column(double[] values) {
        return Arrays.stream(values).mapToObj(value -> new double[] {value}).toArray(double[][]::new);
    }

    private static double[] logSoftmax(double[] logits) {
        double logSum = Math.log(Arrays.stream(logits).map(Math::exp).sum());
        return Arrays.stream(logits).map(logit -> logit - logSum).toArray();
    }

    /** Gradient descent on the exact expectation, without a drawn sample. */
    @ParameterizedTest
    @CsvSource({"K3, 4, SAMPLE, 1e-4", "K3, 3, POPULATION, 0.2", "K2, 4, SAMPLE, 1e-4", "K2, 2, POPULATION, 0.2"})
    void theExpectedGradientLeadsThere(KlEstimator estimator, int n, Deviation deviation, double epsilon) {
        GrpoAdvantages advantages = new GrpoAdvantages(deviation, epsilon);
        KlPenalty.Estimated kl = new KlPenalty.Estimated(estimator, BETA);
        ResponseDistribution before = responses(DialogueFixture.policy(), DialogueFixture.PROMPTS.get(0));
        double[] reference =
                before.probabilities().values().stream().mapToDouble(Math::log).toArray();
        double[] logits = reference.clone();
        for (int step = 0; step < 600; step++) {
            double[] gradient = expectedGradient(logits, reference, n, advantages, kl);
            Arrays.setAll(logits, y -> logits[y] - gradient[y]);
        }
        Map<TokenSequence, Double> after = new LinkedHashMap<>();
        for (int y = 0; y < logits.length; y++) {
            after.put(TokenSequence.of(y), Math.exp(logSoftmax(logits)[y]));
        }
        GrpoOptimum optimum = GrpoOptimum.of(before, GrpoOptimumTest::right, advantages, n, estimator, BETA);
        assertThat(before.totalVariation(optimum.responses())).isGreaterThan(0.1);
        assertThat(new ResponseDistribution(after).totalVariation(optimum.responses()))
                .isLessThan(1e-9);
    }

    /** The trainer on its own samples. */
    @ParameterizedTest
    @EnumSource(names = {"K2", "K3"})
    void theTrainerGoesThere(KlEstimator estimator) {
        RewardModel judge = batch -> batch.stream()
                .mapToDouble(exchange -> exchange.response().matches("[bc]") ? 1 : 0)
                .toArray();
        int n = 8;
        GroupConfig config = GroupConfig.of(
                        300,
                        new BatchPlan(256, 256),
                        n,
                        DialogueFixture.ONE_TOKEN,
                        GroupAlgorithm.grpo().withLossKl(estimator, BETA),
                        7)
                .withRate(new LearningRateSchedule.WarmupLinear(0.1, 0, 300));
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy reference = policy.copy();
        GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(reference)
                .rewardModel(judge)
                .prompts(DialogueFixture.PROMPTS)
                .build()
                .run();
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            ResponseDistribution before = responses(reference, prompt);
            ResponseDistribution optimum = GrpoOptimum.of(
                            before, GrpoOptimumTest::right, GrpoAdvantages.defaults(), n, estimator, BETA)
                    .responses();
            ResponseDistribution unscaled = estimator == KlEstimator.K2
                    ? before.optimal(y -> right(y) ? 1 : 0, BETA)
                    : ForwardKlOptimum.of(before, y -> right(y) ? 1 : 0, BETA);
            assertThat(optimum.totalVariation(unscaled)).isGreaterThan(0.05);
            assertThat(responses(policy, prompt).totalVariation(optimum)).isLessThan(0.01);
        }
    }

    /** p ← 1/(1 + (1 − p_ref)/p_ref·exp(−1/(β·√(p(1 − p))))): large groups and K2 have Mroueh's fixed point. */
    @Test
    void largeGroupsHaveTheFixedPointOfTheirLimit() {
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            ResponseDistribution before = responses(DialogueFixture.policy(), prompt);
            double start = before.expectation(y -> right(y) ? 1 : 0);
            for (double beta : List.of(3.0, 5.0)) {
                double p = start;
                for (int i = 0; i < 200; i++) {
                    p = 1 / (1 + (1 - start) / start * Math.exp(-1 / (beta * Math.sqrt(p * (1 - p)))));
                }
                GrpoOptimum ofGroups = GrpoOptimum.of(
                        before,
                        GrpoOptimumTest::right,
                        new GrpoAdvantages(Deviation.POPULATION, 1e-9),
                        200,
                        KlEstimator.K2,
                        beta);
                assertThat(ofGroups.p()).isCloseTo(p, offset(2e-3)).isGreaterThan(start + 0.05);
            }
        }
    }
}
