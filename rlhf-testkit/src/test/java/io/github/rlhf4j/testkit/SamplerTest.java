package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Trainers on rollouts that somebody else than the policy draws. */
class SamplerTest {

    private static final RolloutCorrection TRUNCATED = new RolloutCorrection.TokenTruncated(2);

    /** The trainers that a sampler can be given to; each builds one of so many iterations. */
    private enum Kind {
        PPO {
            @Override
            Trainer trainer(
                    TabularPolicy policy, @Nullable Policy sampler, RolloutCorrection correction, int iterations) {
                PpoConfig config = PpoFixture.config(iterations, new BatchPlan(32, 16))
                        .withAdvantages(AdvantageSettings.defaults().withCorrection(correction));
                return parts(PpoTrainer.builder(), policy, sampler)
                        .config(config)
                        .critic(Critic.separate(PpoFixture.values()))
                        .build();
            }
        },
        GROUP {
            @Override
            Trainer trainer(
                    TabularPolicy policy, @Nullable Policy sampler, RolloutCorrection correction, int iterations) {
                GroupConfig config = GroupConfig.of(
                                iterations,
                                new BatchPlan(32, 16),
                                4,
                                PpoFixture.SAMPLING,
                                GroupAlgorithm.drGrpo().withCorrection(correction),
                                5)
                        .withRate(new LearningRateSchedule.Constant(0.05));
                return parts(GroupTrainer.builder(), policy, sampler)
                        .config(config)
                        .build();
            }
        },
        ONLINE_DPO {
            @Override
            Trainer trainer(
                    TabularPolicy policy, @Nullable Policy sampler, RolloutCorrection correction, int iterations) {
                return parts(OnlineDpoTrainer.builder(), policy, sampler)
                        .config(OnlineDpoTest.config(iterations)
                                .withGuards(GuardSettings.defaults().withKlBudget(4)))
                        .build();
            }
        };

        abstract Trainer trainer(
                TabularPolicy policy, @Nullable Policy sampler, RolloutCorrection correction, int iterations);

        private static <B extends RolloutTrainerBuilder<B>> B parts(
                B builder, TabularPolicy policy, @Nullable Policy sampler) {
            B drawn = sampler == null ? builder : builder.sampler(sampler);
            return drawn.policy(policy)
                    .reference(policy.copy())
                    .rewardModel(PpoFixture.COUNT_B)
                    .prompts(PpoFixture.PROMPTS);
        }
    }

    /** The policy as it is at the time, its logits off by noise that stays: what rounding its weights would make of it. */
    private static final class Noised extends TabularPolicy {

        private int drawn;

        Noised(TabularPolicy policy) {
            super(policy.tokenizer(), policy.context, policy.contextLength(), policy.table);
        }

        @Override
        public double[] logProbs(TokenSequence prefix, double temperature) {
            double[] noised = super.logProbs(prefix, temperature);
            RandomKey key = RandomKey.of(9);
            for (int id : prefix.toArray()) {
                key = key.child(id);
            }
            double total = 0;
            for (int v = 0; v < noised.length; v++) {
                noised[v] += 0.3 * key.child("noise").child(v).gaussian();
                total += Math.exp(noised[v]);
            }
            double logTotal = Math.log(total);
            return Arrays.stream(noised).map(logProb -> logProb - logTotal).toArray();
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            drawn += prompts.size();
            return super.complete(prompts, sampling, seed);
        }

        @Override
        public TokenScores score(SequenceBatch batch) {
            throw new AssertionError("a sampler is only asked for completions");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aNoisySamplerTeachesThePolicyItself(Kind kind) {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy before = policy.copy();
        Noised sampler = new Noised(policy);
        List<StepReport> reports = new ArrayList<>();

        kind.trainer(policy, sampler, TRUNCATED, 60).run((trainer, report) -> reports.add(report));

        assertThat(sampler.drawn).isEqualTo(60 * (kind == Kind.ONLINE_DPO ? 16 : 32));
        for (Prompt prompt : PpoFixture.PROMPTS) {
            assertThat(letters(policy, prompt)).isGreaterThan(letters(before, prompt) + 0.5);
        }
        if (kind != Kind.ONLINE_DPO) {
            String path = kind == Kind.PPO ? "ppo/correction" : "group/correction";
            assertThat(reports)
                    .allSatisfy(report ->
                            assertThat(report.metric(path)).isBetween(0.8, 1.2).isNotEqualTo(1));
        }
    }

    /**
     * The KL that a budget goes by is the trained policy's, whoever drew what it is measured on: the exact one but for the
     * sampling error of 4,098 responses. Without weights for what the sampler prefers it would be 0.04 below.
     */
    @Test
    void onlineDpoMeasuresItsBudgetOnWhatTheSamplerDrew() {
        TabularPolicy policy = PpoFixture.policy();
        TabularPolicy reference = TabularPolicy.random(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, new TabularOptimizer.Sgd(), 2, 1);
        OnlineDpoConfig config = OnlineDpoConfig.of(1, new BatchPlan(4098, 4098), PpoFixture.SAMPLING, 6)
                .withRate(new LearningRateSchedule.Constant(1e-9))
                .withGuards(GuardSettings.defaults().withKlBudget(100));
        StepReport report = OnlineDpoTest.builder(policy, config)
                .sampler(new Noised(policy))
                .reference(reference)
                .build()
                .step();

        assertThat(report.metric("budget/kl")).isCloseTo(kl(policy, reference), offset(0.02));
    }

    private static double kl(TabularPolicy policy, TabularPolicy reference) {
        return PpoFixture.PROMPTS.stream()
                .mapToDouble(prompt -> policy.responses(prompt.tokens(), PpoFixture.SAMPLING)
                        .kl(reference.responses(prompt.tokens(), PpoFixture.SAMPLING)))
                .average()
                .orElseThrow();
    }

    /** Expected number of b in a response. */
    private static double letters(TabularPolicy policy, Prompt prompt) {
        return policy.responses(prompt.tokens(), PpoFixture.SAMPLING).expectation(y -> PpoFixture.LETTERS
                .decode(y)
                .chars()
                .filter(c -> c == 'b')
                .count());
    }

    @ParameterizedTest
    @EnumSource
    void thePolicyAsItsOwnSamplerIsNoSampler(Kind kind) {
        TabularPolicy alone = PpoFixture.policy();
        TabularPolicy named = PpoFixture.policy();
        List<StepReport> expected = new ArrayList<>();
        List<StepReport> found = new ArrayList<>();

        kind.trainer(alone, null, new RolloutCorrection.None(), 3).run((trainer, report) -> expected.add(report));
        kind.trainer(named, named, new RolloutCorrection.None(), 3).run((trainer, report) -> found.add(report));

        for (int i = 0; i < 3; i++) {
            StepReport report = found.get(i);
            expected.get(i).metrics().forEach((path, value) -> assertThat(report.metric(path))
                    .as(path)
                    .isEqualTo(value));
        }
        for (Prompt prompt : PpoFixture.PROMPTS) {
            assertThat(named.logProbs(prompt.tokens(), 1)).isEqualTo(alone.logProbs(prompt.tokens(), 1));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSamplerOfOtherTokensIsRefused(Kind kind) {
        TabularPolicy other = TabularPolicy.uniform(
                new LetterTokenizer(5), TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        assertThatThrownBy(() -> kind.trainer(PpoFixture.policy(), other, TRUNCATED, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("policy and sampler must share a tokenizer")
                .hasMessageContaining("vocabularies of");
    }

    @Test
    void aPolicyGradientNeedsACorrectionForAnotherSampler() {
        RolloutCorrection none = new RolloutCorrection.None();
        TabularPolicy policy = PpoFixture.policy();
        Noised sampler = new Noised(policy);

        assertThatThrownBy(() -> Kind.PPO.trainer(policy, sampler, none, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("sampler that is not the policy", "AdvantageSettings.withCorrection");
        assertThatThrownBy(() -> Kind.GROUP.trainer(policy, sampler, none, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("sampler that is not the policy", "GroupAlgorithm.withCorrection");
    }
}
