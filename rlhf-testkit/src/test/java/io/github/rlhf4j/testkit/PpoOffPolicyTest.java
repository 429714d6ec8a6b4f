package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** PPO on rollouts that another policy drew than the one that is trained. */
class PpoOffPolicyTest {

    private static final double BETA = 0.3;

    private static StateTable table(long seed, double scale) {
        return new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(seed), scale);
    }

    /** Has another policy say what it would, with that one's log-probs. */
    private static final class OldSampler extends GradientSpy {

        private final TabularPolicy old;

        OldSampler(StateTable table, TabularPolicy old) {
            super(table);
            this.old = old;
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            return old.complete(prompts, sampling, seed);
        }
    }

    private static PpoConfig config(AdvantageSettings advantages) {
        return PpoFixture.config(2, new BatchPlan(32, 32))
                .withEpochs(1)
                .withAdvantages(advantages)
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(BETA))
                        .withMissingStop(new MissingStop.Keep()));
    }

    /** A correction, and what it says it is of a token, from the log ω of its sequence's tokens. */
    private record Case(RolloutCorrection correction, Weight naive) {

        interface Weight {
            double of(double[] logOmegas, int t);
        }
    }

    static Stream<Case> theUpdateIsThatOfANaiveReference() {
        ToDoubleFunction<double[]> sum = row -> Arrays.stream(row).sum();
        return Stream.of(
                new Case(new RolloutCorrection.TokenTruncated(1.5), (row, t) -> Math.min(1.5, Math.exp(row[t]))),
                new Case(
                        new RolloutCorrection.SequenceTruncated(1.5),
                        (row, t) -> Math.min(1.5, Math.exp(sum.applyAsDouble(row)))),
                new Case(
                        new RolloutCorrection.TokenMasked(0.7, 1.4),
                        (row, t) -> Math.exp(row[t]) < 0.7 || Math.exp(row[t]) > 1.4 ? 0 : Math.exp(row[t])),
                new Case(new RolloutCorrection.SequenceMasked(0.9, 1.4), (row, t) -> {
                    double mean = Math.exp(sum.applyAsDouble(row) / row.length);
                    return mean < 0.9 || mean > 1.4 ? 0 : 1;
                }));
    }

    /**
     * At the first update ρ is 1, so that a token's gradient is −A·ω over the number of tokens, A the whitened score less the
     * KL to go (λ = 1, values 0), of the trained policy and not of the sampler.
     */
    @ParameterizedTest
    @MethodSource
    void theUpdateIsThatOfANaiveReference(Case correction) {
        for (AdvantageSettings.Divisor divisor : AdvantageSettings.Divisor.values()) {
            TabularPolicy old = new GradientSpy(table(3, 0.5));
            TabularPolicy reference = new GradientSpy(table(2, 0.5));
            OldSampler policy = new OldSampler(table(1, 0.5), old);
            TabularPolicy before = policy.copy();
            AdvantageSettings advantages =
                    new AdvantageSettings(1, 1, true).withDivisor(divisor).withCorrection(correction.correction());
            StepReport report = PpoFixture.builder(policy, config(advantages))
                    .reference(reference)
                    .build()
                    .step();

            assertThat(policy.batches).hasSize(1);
            SequenceBatch batch = policy.batches.get(0);
            double[][] own = before.score(batch).logProbs();
            double[][] sampler = old.score(batch).logProbs();
            double[][] ref = reference.score(batch).logProbs();
            double[][] whitened = whiten(toGo(batch, own, ref), divisor == AdvantageSettings.Divisor.N ? 0 : 1);
            double tokens = Arrays.stream(own).mapToInt(row -> row.length).sum();
            double weights = 0;
            for (int i = 0; i < own.length; i++) {
                double[] logOmegas = new double[own[i].length];
                for (int t = 0; t < logOmegas.length; t++) {
                    logOmegas[t] = own[i][t] - sampler[i][t];
                }
                for (int t = 0; t < logOmegas.length; t++) {
                    double weight = correction.naive().of(logOmegas, t);
                    weights += weight;
                    assertThat(policy.gradients.get(0)[i][t])
                            .isCloseTo(-whitened[i][t] * weight / tokens, offset(1e-9));
                }
            }
            assertThat(report.metric("ppo/correction")).isCloseTo(weights / tokens, offset(1e-12));
            assertThat(weights / tokens).isNotCloseTo(1, offset(0.01));
            assertThat(report.metric("ppo/ratio")).isCloseTo(1, offset(1e-12));
            assertThat(report.metric("ppo/on_policy_error")).isCloseTo(0, offset(1e-12));
        }
    }

    private static double[][] toGo(SequenceBatch batch, double[][] own, double[][] ref) {
        double[][] toGo = new double[own.length][];
        for (int i = 0; i < own.length; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            TokenSequence response = sequence.tokens().slice(sequence.position(0), sequence.length());
            toGo[i] = new double[own[i].length];
            double sum = PpoFixture.COUNT_B.score(List.of(Exchange.of("", PpoFixture.LETTERS.decode(response))))[0];
            for (int t = own[i].length - 1; t >= 0; t--) {
                sum -= BETA * (own[i][t] - ref[i][t]);
                toGo[i][t] = sum;
            }
        }
        return toGo;
    }

    private static double[][] whiten(double[][] rows, int less) {
        double[] all = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
        double mean = Arrays.stream(all).average().orElseThrow();
        double variance = Arrays.stream(all).map(x -> (x - mean) * (x - mean)).sum() / (all.length - less);
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row)
                        .map(x -> (x - mean) / Math.sqrt(variance + 1e-8))
                        .toArray())
                .toArray(double[][]::new);
    }

    /** Where the sampler is the policy every weight is 1, and the run that of no correction to the bit. */
    @Test
    void onItsOwnRolloutsACorrectionChangesNothing() {
        PpoTrainer plain = PpoFixture.builder(PpoFixture.policy(), config(AdvantageSettings.defaults()))
                .build();
        PpoTrainer corrected = PpoFixture.builder(
                        PpoFixture.policy(),
                        config(AdvantageSettings.defaults().withCorrection(new RolloutCorrection.TokenTruncated(2))))
                .build();
        for (int i = 0; i < 2; i++) {
            StepReport expected = plain.step();
            StepReport report = corrected.step();
            assertThat(report.metric("ppo/correction")).isEqualTo(1);
            assertThat(expected.metrics()).doesNotContainKey("ppo/correction");
            expected.metrics()
                    .forEach((path, value) ->
                            assertThat(report.metric(path)).as(path).isEqualTo(value));
        }
    }

    @Test
    void withoutACorrectionAnotherSamplerStopsTheRun() {
        OldSampler policy = new OldSampler(table(1, 0.5), new GradientSpy(table(3, 0.5)));
        PpoTrainer trainer =
                PpoFixture.builder(policy, config(AdvantageSettings.defaults())).build();
        assertThatThrownBy(trainer::step).hasMessageContaining("sampler and scorer disagree");
    }

    /**
     * Of what the reference drew, a policy far from it thinks less than the reference does: Σ log π/π_ref is as negative as
     * can be, and nothing is wrong. What would be impossible is measured on the sampler's own log-probs.
     */
    @Test
    void rolloutsOfTheReferenceAreNoNegativeKl() {
        TabularPolicy reference = new GradientSpy(table(2, 0.5));
        RolloutCorrection correction = new RolloutCorrection.TokenTruncated(2);
        StepReport ppo = PpoFixture.builder(
                        new OldSampler(table(1, 2), reference),
                        config(AdvantageSettings.defaults().withCorrection(correction)))
                .reference(reference.copy())
                .build()
                .step();
        assertThat(32 * ppo.metric("objective/kl")).isLessThan(Math.log(1e-9));
        StepReport group = GroupTrainer.builder()
                .config(GroupConfig.of(
                        1,
                        new BatchPlan(32, 32),
                        4,
                        PpoFixture.SAMPLING,
                        GroupAlgorithm.grpo().withCorrection(correction),
                        42))
                .policy(new OldSampler(table(1, 2), reference))
                .reference(reference.copy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS)
                .build()
                .step();
        assertThat(32 * group.metric("objective/kl")).isLessThan(Math.log(1e-9));
    }
}
