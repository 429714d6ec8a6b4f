package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenGradients;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.group.GroupTrainerBuilder;
import io.github.rlhf4j.ppo.math.ExactKlPenalty;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.Ragged;
import io.github.rlhf4j.ppo.math.TokenLoss;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** The KL of whole next-token distributions: what it is, what its gradient is worth, and who can have it. */
class ExactKlTest {

    private static final KlPenalty EXACT = new KlPenalty.Exact(0.2);
    private static final PpoConfig PPO = ppo(12);

    private static PpoConfig ppo(int minibatch) {
        PpoConfig config = PpoFixture.config(2, new BatchPlan(24, minibatch)).withEpochs(1);
        return config.withLosses(config.losses().withKl(EXACT));
    }

    private static TabularPolicy policy(long seed, TabularOptimizer optimizer) {
        return TabularPolicy.random(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, optimizer, seed, 1);
    }

    /** At a temperature: the logits that {@link ExactKlPenalty} takes are those over τ. */
    @Property(tries = 30)
    void itIsExactKlPenaltyOfTheLogits(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @DoubleRange(min = 0.3, max = 3) double temperature) {
        TabularPolicy policy = policy(seed, new TabularOptimizer.Sgd());
        TabularPolicy reference = policy(seed + 1, new TabularOptimizer.Sgd());
        TokenSequence prompt = PpoFixture.LETTERS.encode("a");
        ScoredSequence sequence = ScoredSequence.of(prompt, PpoFixture.LETTERS.encode("b"));
        TokenLoss expected = ExactKlPenalty.evaluate(
                logits(policy, prompt, temperature), logits(reference, prompt, temperature), new double[] {0.7});
        try (ForwardPass pass = policy.forward(new SequenceBatch(List.of(sequence), temperature), reference)) {
            assertThat(0.7 * pass.scores().kls()[0][0]).isCloseTo(expected.loss(), offset(1e-12));
            pass.backward(new TokenGradients(new double[1][1], null, new double[][] {{0.7}}));
        }
        double[] gradient = policy.table.gradient(prompt);
        for (int v = 0; v < gradient.length; v++) {
            assertThat(temperature * gradient[v]).isCloseTo(expected.gradient()[0][v], offset(1e-12));
        }
    }

    private static double[][] logits(TabularPolicy policy, TokenSequence prefix, double temperature) {
        return Ragged.map(new double[][] {policy.table.parameters(prefix)}, logit -> logit / temperature);
    }

    /** One response's gradient of a KL in the loss, by context and column. */
    private static Map<String, double[]> gradient(
            TabularPolicy policy, TabularPolicy reference, SequenceBatch response, KlPenalty penalty) {
        TabularPolicy copy = policy.copy();
        double[] one = {1};
        try (ForwardPass pass = copy.forward(response, reference)) {
            double[][] logProbs = pass.scores().logProbs();
            if (penalty instanceof KlPenalty.Exact exact) {
                double[][] dKls = exact.evaluate(pass.scores().kls(), one).gradient();
                pass.backward(new TokenGradients(Ragged.zerosLike(logProbs), null, dKls));
            } else {
                double[][] log = reference.score(response).logProbs();
                pass.backward(new TokenGradients(((KlPenalty.Estimated) penalty)
                        .evaluate(logProbs, log, one)
                        .gradient()));
            }
        }
        Map<String, double[]> gradients = new TreeMap<>();
        ScoredSequence sequence = response.sequences().get(0);
        for (int t = 0; t < sequence.scoredCount(); t++) {
            TokenSequence prefix = sequence.tokens().slice(0, sequence.position(t));
            gradients.put(PpoFixture.LETTERS.decode(prefix), copy.table.gradient(prefix));
        }
        return gradients;
    }

    /** Mean over all responses by context and column, and the sum of all columns' variances. */
    private record Moments(Map<String, double[]> mean, double variance) {

        static Moments of(TabularPolicy policy, TabularPolicy reference, Sampling sampling, KlPenalty penalty) {
            TokenSequence prompt = PpoFixture.LETTERS.encode("a");
            Map<String, double[]> mean = new TreeMap<>();
            double[] squares = {0};
            policy.responses(prompt, sampling).probabilities().forEach((response, probability) -> {
                SequenceBatch batch = new SequenceBatch(List.of(ScoredSequence.of(prompt, response)));
                gradient(policy, reference, batch, penalty).forEach((context, gradient) -> {
                    double[] sum = mean.computeIfAbsent(context, c -> new double[gradient.length]);
                    for (int v = 0; v < gradient.length; v++) {
                        sum[v] += probability * gradient[v];
                        squares[0] += probability * gradient[v] * gradient[v];
                    }
                });
            });
            double ofMean = mean.values().stream()
                    .flatMapToDouble(java.util.Arrays::stream)
                    .map(x -> x * x)
                    .sum();
            return new Moments(mean, squares[0] - ofMean);
        }
    }

    /**
     * By enumeration of the responses: the mean gradient is K2's, and the variance is what is left of K2's when the noise of the
     * tokens is gone (Rao and Blackwell): all of it for responses of one token, elsewhere that of the states that are come to.
     */
    @Property(tries = 30)
    void theGradientHasK2sMeanAndLessVariance(
            @ForAll @IntRange(max = 1000) int seed, @ForAll @IntRange(min = 1, max = 3) int tokens) {
        TabularPolicy policy = policy(seed, new TabularOptimizer.Sgd());
        TabularPolicy reference = policy(seed + 1, new TabularOptimizer.Sgd());
        Sampling sampling = PpoFixture.SAMPLING.withMaxNewTokens(tokens);
        Moments exact = Moments.of(policy, reference, sampling, new KlPenalty.Exact(1));
        Moments k2 = Moments.of(policy, reference, sampling, new KlPenalty.Estimated(KlEstimator.K2, 1));
        assertThat(exact.mean().keySet()).isEqualTo(k2.mean().keySet());
        exact.mean().forEach((context, mean) -> assertThat(mean)
                .containsExactly(k2.mean().get(context), offset(1e-12)));
        assertThat(exact.variance()).isLessThan(k2.variance() - 1e-6);
        if (tokens == 1) {
            assertThat(exact.variance()).isCloseTo(0, offset(1e-12));
        }
    }

    /** The reward's KL is K1 still; the exact one is 0 before the first update, when the policy is its reference. */
    @Example
    void metricsHaveBoth() {
        StepReport first = PpoFixture.builder(PpoFixture.policy(), PPO).build().step();
        assertThat(first.metric("ppo/exact_kl")).isPositive();
        StepReport oneUpdate =
                PpoFixture.builder(PpoFixture.policy(), ppo(24)).build().step();
        assertThat(oneUpdate.metric("ppo/exact_kl")).isZero();
        StepReport group = group(PpoFixture.policy()).build().step();
        assertThat(group.metrics()).containsKeys("group/exact_kl", "group/kl_loss", "objective/kl");
    }

    private static GroupTrainerBuilder group(TrainablePolicy policy) {
        GroupConfig config = GroupConfig.of(
                2,
                new BatchPlan(24, 12),
                4,
                PpoFixture.SAMPLING,
                GroupAlgorithm.grpo().withLossKl(EXACT),
                3);
        return GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(PpoFixture.policy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS);
    }

    /** Values start at 0 in both and nothing is clipped, so that the trunk makes no difference to the first update. */
    @Example
    void aSharedTrunkLearnsTheSame() {
        TabularActorCritic both = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        TabularPolicy alone = TabularPolicy.uniform(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        double[] start = alone.logProbs(PpoFixture.PROMPTS.get(0).tokens(), 1);
        for (TabularPolicy trained : List.of(both, alone)) {
            Critic critic = trained == both ? Critic.sharedTrunk() : Critic.separate(PpoFixture.values());
            StepReport report = PpoFixture.builder(trained, ppo(24))
                    .reference(PpoFixture.policy())
                    .critic(critic)
                    .build()
                    .step();
            assertThat(report.metric("ppo/exact_kl")).isPositive();
        }
        for (int i = 0; i < PpoFixture.PROMPTS.size(); i++) {
            TokenSequence prompt = PpoFixture.PROMPTS.get(i).tokens();
            assertThat(both.logProbs(prompt, 1))
                    .containsExactly(alone.logProbs(prompt, 1), offset(1e-12))
                    .isNotEqualTo(start);
        }
    }

    /** The policy is scored and stays; its KL is known nevertheless. */
    @Example
    void itIsMeasuredWhileTheValueFunctionWarmsUp() {
        TabularPolicy policy = policy(1, new TabularOptimizer.Sgd());
        double[] before = policy.logProbs(PpoFixture.PROMPTS.get(0).tokens(), 1);
        PpoConfig config = PPO.withLosses(PPO.losses().withValueWarmup(1));
        StepReport report = PpoFixture.builder(policy, config)
                .reference(PpoFixture.policy())
                .build()
                .step();
        assertThat(report.metric("ppo/exact_kl")).isPositive();
        assertThat(policy.logProbs(PpoFixture.PROMPTS.get(0).tokens(), 1)).isEqualTo(before);
    }

    /** When the trainer is made, not in the middle of a run; estimates are for all policies. */
    @Example
    void aPolicyThatHasNoneIsRefusedAtOnce() {
        WithoutExactKl without = new WithoutExactKl(PpoFixture.policy());
        assertThatThrownBy(() -> group(without).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("WithoutExactKl")
                .hasMessageContaining("K2 in the loss");
        assertThatThrownBy(() -> PpoFixture.builder(PpoFixture.policy(), PPO)
                        .policy(without)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no exact KL");
        Policy foreign = without;
        assertThatThrownBy(() -> group(PpoFixture.policy()).reference(foreign).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tabular reference, got " + WithoutExactKl.class.getName());
        PpoConfig estimated = PPO.withLosses(PPO.losses().withKl(KlEstimator.K2, 0.2));
        assertThat(PpoFixture.builder(PpoFixture.policy(), estimated)
                        .policy(without)
                        .build()
                        .step()
                        .metrics())
                .containsKey("ppo/kl_loss")
                .doesNotContainKey("ppo/exact_kl");
        assertThatThrownBy(() -> policy(1, new TabularOptimizer.Sgd())
                        .requireKlTo(TabularPolicy.uniform(
                                new LetterTokenizer(3), TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd())))
                .hasMessageContaining("the policy's has 3 tokens, the reference's 4");
    }
}
