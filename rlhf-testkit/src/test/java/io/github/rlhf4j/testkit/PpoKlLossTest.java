package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.ExactKlPenalty;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.MissingStop;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** PPO with the KL as a term of the loss, as GRPO has it, estimated and exact. */
class PpoKlLossTest {

    private static final double BETA = 0.5;
    private static final double ENTROPY = 0.1;

    private static final RewardSettings NO_KL_IN_REWARD =
            RewardSettings.defaults().withKl(new KlController.Fixed(0)).withMissingStop(new MissingStop.Keep());

    static Stream<KlPenalty> penalties() {
        return Stream.of(
                new KlPenalty.Estimated(KlEstimator.K2, BETA),
                new KlPenalty.Estimated(KlEstimator.K3, BETA),
                new KlPenalty.Exact(BETA));
    }

    private static StateTable table(long seed) {
        return new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(seed), 0.7);
    }

    /**
     * What an update of gradient descent at rate 1 takes from each logit is the slope there of the whole objective, written
     * out: the surrogate, the KL and the entropy bonus. With λ = 0 and values of 0 the advantage is the score, on the last token.
     */
    @ParameterizedTest
    @MethodSource("penalties")
    void anUpdateDescendsTheObjectiveWithTheKlInIt(KlPenalty penalty) {
        GradientSpy policy = new GradientSpy(table(1));
        TabularPolicy before = policy.copy();
        TabularPolicy reference = new GradientSpy(table(2));
        PpoConfig config = PpoFixture.config(1, new BatchPlan(24, 24))
                .withEpochs(1)
                .withMicroBatchTokens(25)
                .withRewards(NO_KL_IN_REWARD)
                .withAdvantages(new AdvantageSettings(1, 0, false))
                .withLosses(
                        LossSettings.defaults().withEntropyCoefficient(ENTROPY).withKl(penalty))
                .withRates(new LearningRateSchedule.Constant(1), new LearningRateSchedule.Constant(0));
        StepReport report =
                PpoFixture.builder(policy, config).reference(reference).build().step();
        assertThat(policy.batches).hasSizeGreaterThan(1);

        SequenceBatch batch = new SequenceBatch(policy.batches.stream()
                .flatMap(pass -> pass.sequences().stream())
                .toList());
        Set<TokenSequence> contexts = new TreeSet<>((a, b) -> Arrays.compare(a.toArray(), b.toArray()));
        for (ScoredSequence sequence : batch.sequences()) {
            for (int t = 0; t < sequence.scoredCount(); t++) {
                contexts.add(sequence.tokens().slice(0, sequence.position(t)));
            }
        }
        double[][] logits = contexts.stream()
                .map(context -> before.table.parameters(context).clone())
                .toArray(double[][]::new);
        double[][] moved = contexts.stream().map(policy.table::parameters).toArray(double[][]::new);
        double[][] descended = new double[logits.length][3];
        for (int i = 0; i < logits.length; i++) {
            for (int v = 0; v < 3; v++) {
                descended[i][v] = logits[i][v] - moved[i][v];
            }
        }
        double[][] old = before.score(batch).logProbs();
        TabularPolicy probe = before.copy();
        GradientCheck.STANDARD.check(
                "PPO with " + penalty,
                logits,
                rows -> {
                    int i = 0;
                    for (TokenSequence context : contexts) {
                        probe.setLogits(context, rows[i++]);
                    }
                    return objective(probe, old, reference, batch, penalty);
                },
                descended);
        double klLoss = klLoss(before, reference, batch, penalty);
        assertThat(report.metric("ppo/kl_loss")).isPositive().isCloseTo(klLoss, offset(1e-12));
        if (penalty instanceof KlPenalty.Exact) {
            assertThat(report.metric("ppo/exact_kl")).isCloseTo(klLoss / BETA, offset(1e-12));
        } else {
            assertThat(report.metrics()).doesNotContainKey("ppo/exact_kl");
        }
    }

    private static double objective(
            TabularPolicy policy, double[][] old, TabularPolicy reference, SequenceBatch batch, KlPenalty penalty) {
        TokenScores scores = policy.score(batch);
        double surrogate = 0;
        double entropy = 0;
        int tokens = 0;
        for (int i = 0; i < old.length; i++) {
            int last = old[i].length - 1;
            double score =
                    PpoFixture.COUNT_B.score(List.of(exchange(batch.sequences().get(i))))[0];
            for (int t = 0; t <= last; t++) {
                double advantage = t == last ? score : 0;
                surrogate -= advantage * Math.exp(scores.logProbs()[i][t] - old[i][t]);
                entropy += scores.entropies()[i][t];
                tokens++;
            }
        }
        return (surrogate - ENTROPY * entropy) / tokens + klLoss(policy, reference, batch, penalty);
    }

    private static Exchange exchange(ScoredSequence sequence) {
        TokenSequence response = sequence.tokens().slice(sequence.position(0), sequence.length());
        return new Exchange(Conversation.of(""), PpoFixture.LETTERS.decode(response));
    }

    private static double klLoss(
            TabularPolicy policy, TabularPolicy reference, SequenceBatch batch, KlPenalty penalty) {
        double kl = 0;
        int tokens = 0;
        for (ScoredSequence sequence : batch.sequences()) {
            for (int t = 0; t < sequence.scoredCount(); t++) {
                TokenSequence prefix = sequence.tokens().slice(0, sequence.position(t));
                double[] logP = policy.logProbs(prefix, 1);
                double[] logQ = reference.logProbs(prefix, 1);
                kl += klAt(logP, logQ, sequence.tokens().get(sequence.position(t)), penalty);
                tokens++;
            }
        }
        return BETA * kl / tokens;
    }

    /** For the exact one the logits are at hand, and a function of theirs. */
    private static double klAt(double[] logP, double[] logQ, int token, KlPenalty penalty) {
        if (penalty instanceof KlPenalty.Estimated estimated) {
            double d = logQ[token] - logP[token];
            return estimated.estimator() == KlEstimator.K2 ? d * d / 2 : Math.exp(d) - 1 - d;
        }
        return ExactKlPenalty.evaluate(new double[][] {logP}, new double[][] {logQ}, new double[] {1})
                .loss();
    }

    private static double reward(TokenSequence response) {
        return reward(PpoFixture.LETTERS.decode(response));
    }

    private static double reward(String text) {
        return text.equals("b") ? 1.25 : text.equals("a") ? -0.5 : 0;
    }

    /** For responses of one token: K2's and the exact one's optimum is E[r] − β·KL(π‖π_ref)'s, K3's E[r] − β·KL(π_ref‖π)'s. */
    @ParameterizedTest
    @MethodSource("penalties")
    void aRunWithTheKlInTheLossAloneLeadsToTheOptimumOfItsDivergence(KlPenalty penalty) {
        Sampling oneToken = Sampling.exact(1, 1, Set.of());
        RewardModel rewards =
                batch -> batch.stream().mapToDouble(e -> reward(e.response())).toArray();
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = policy.copy();
        PpoConfig config = PpoConfig.of(150, new BatchPlan(192, 192), oneToken, 7)
                .withEpochs(2)
                .withRewards(NO_KL_IN_REWARD)
                .withAdvantages(AdvantageSettings.defaults().withWhiten(false))
                .withLosses(LossSettings.defaults()
                        .withValue(new ClippedValueLoss(0), 1)
                        .withKl(penalty))
                .withRates(
                        new LearningRateSchedule.WarmupLinear(0.1, 0, 150),
                        new LearningRateSchedule.WarmupLinear(0.1, 0, 150));
        PpoFixture.builder(policy, config).rewardModel(rewards).build().run();
        for (Prompt prompt : PpoFixture.PROMPTS) {
            ResponseDistribution before = reference.responses(prompt.tokens(), oneToken);
            ResponseDistribution reverse = before.optimal(PpoKlLossTest::reward, BETA);
            ResponseDistribution forward = ForwardKlOptimum.of(before, PpoKlLossTest::reward, BETA);
            ResponseDistribution after = policy.responses(prompt.tokens(), oneToken);
            assertThat(reverse.totalVariation(forward)).isGreaterThan(0.05);
            assertThat(after.totalVariation(isForward(penalty) ? forward : reverse))
                    .isLessThan(0.025);
        }
    }

    static boolean isForward(KlPenalty penalty) {
        return penalty instanceof KlPenalty.Estimated estimated && estimated.estimator() == KlEstimator.K3;
    }

    @Test
    void aTermWithoutAGradientIsRefusedAndOneThatIsOffIsNotReported() {
        assertThatThrownBy(() -> LossSettings.defaults().withKl(KlEstimator.K1, 0.1))
                .hasMessageContaining("K1")
                .hasMessageContaining("RewardSettings.kl");
        assertThatThrownBy(() -> LossSettings.defaults().withKl(KlEstimator.K2, -1))
                .hasMessageContaining("got -1.0");
        assertThatThrownBy(() -> new KlPenalty.Exact(Double.POSITIVE_INFINITY)).hasMessageContaining("got Infinity");
        PpoTrainer plain = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(1, new BatchPlan(8, 8)))
                .build();
        assertThat(plain.step().metrics()).doesNotContainKey("ppo/kl_loss");
    }
}
