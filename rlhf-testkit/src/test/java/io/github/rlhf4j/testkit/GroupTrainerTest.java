package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlEstimator;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an iteration without a value function does. */
class GroupTrainerTest {

    private static GroupConfig config(GroupAlgorithm algorithm) {
        return GroupConfig.of(3, new BatchPlan(16, 16), 4, PpoFixture.SAMPLING, algorithm, 5)
                .withRate(new LearningRateSchedule.Constant(0.05));
    }

    private static StepReport firstStep(TabularPolicy policy, GroupConfig config, RewardModel rewardModel) {
        return GroupTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(PpoFixture.policy())
                .rewardModel(rewardModel)
                .prompts(PpoFixture.PROMPTS)
                .build()
                .step();
    }

    /** Says of each token that it was twice as likely as it was: what an older or coarser sampler might have thought. */
    private static final class OtherSampler extends TabularPolicy {

        OtherSampler(TabularPolicy policy) {
            super(policy.tokenizer(), TabularContext.WHOLE_PREFIX, policy.contextLength(), policy.copy().table);
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            return super.complete(prompts, sampling, seed).stream()
                    .map(c -> new Completion(
                            c.prompt(),
                            c.response(),
                            Arrays.stream(c.logProbs())
                                    .map(logProb -> Math.min(0, logProb + Math.log(2)))
                                    .toArray(),
                            c.stopReason()))
                    .toList();
        }
    }

    @Test
    void aSamplerThatIsAnotherPolicyNeedsACorrection() {
        GroupAlgorithm rloo = GroupAlgorithm.rloo();
        OtherSampler other = new OtherSampler(PpoFixture.policy());
        assertThatThrownBy(() -> firstStep(other, config(rloo), PpoFixture.COUNT_B))
                .hasMessageContaining("sampler and scorer disagree");
        StepReport plain = firstStep(PpoFixture.policy(), config(rloo), PpoFixture.COUNT_B);
        StepReport corrected = firstStep(
                other, config(rloo.withCorrection(new RolloutCorrection.TokenTruncated(2))), PpoFixture.COUNT_B);
        assertThat(corrected.metric("group/on_policy_error")).isCloseTo(0, offset(1e-12));
        assertThat(corrected.metric("objective/score")).isEqualTo(plain.metric("objective/score"));
        assertThat(corrected.metric("group/correction")).isBetween(0.5, 0.75);
        assertThat(corrected.metric("group/gradient_norm") / plain.metric("group/gradient_norm"))
                .isBetween(0.4, 0.8);
        StepReport masked = firstStep(
                new OtherSampler(PpoFixture.policy()),
                config(rloo.withCorrection(new RolloutCorrection.SequenceMasked(0.9999, 1.0001))),
                PpoFixture.COUNT_B);
        assertThat(masked.metric("group/gradient_norm")).isZero();
    }

    /**
     * The trained policy gives the reference's responses less than the reference does, so that Σ log π − log π_ref of what it
     * draws is far below 0: no fault, for π did not draw it.
     */
    @Test
    void whatAnotherPolicyDrewMayBeUnlikelyUnderTheTrainedOne() {
        TabularPolicy trained = PpoFixture.policy();
        for (Prompt prompt : PpoFixture.PROMPTS) {
            trained.setLogits(prompt.tokens(), 4, -4, 0);
        }
        GroupAlgorithm corrected = GroupAlgorithm.rloo().withCorrection(new RolloutCorrection.TokenTruncated(2));
        StepReport report = sampledBy(PpoFixture.policy(), trained, corrected).step();
        assertThat(report.metric("objective/kl") * 64).isLessThan(-21);
        assertThat(report.metric("group/correction")).isBetween(0.1, 2.0);
        assertThatThrownBy(() -> sampledBy(PpoFixture.policy(), trained, GroupAlgorithm.rloo()))
                .hasMessageContaining("withCorrection");
    }

    /** The alarm is one of the sampler now. */
    @Test
    void aSamplerWhoseLogProbsCannotBeThoseItDrewWithIsFound() {
        TabularPolicy truncated =
                new TabularPolicy(PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, PpoFixture.policy().table) {
                    @Override
                    public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
                        return super.complete(prompts, sampling, seed).stream()
                                .map(c -> new Completion(
                                        c.prompt(),
                                        c.response(),
                                        Arrays.stream(c.logProbs())
                                                .map(logProb -> logProb - 0.5)
                                                .toArray(),
                                        c.stopReason()))
                                .toList();
                    }
                };
        GroupAlgorithm corrected = GroupAlgorithm.rloo().withCorrection(new RolloutCorrection.TokenTruncated(2));
        GroupTrainer trainer = sampledBy(truncated, PpoFixture.policy(), corrected);
        assertThatThrownBy(trainer::step).hasMessageContaining("negative KL");
    }

    private static GroupTrainer sampledBy(Policy sampler, TabularPolicy trained, GroupAlgorithm algorithm) {
        GroupConfig config = GroupConfig.of(3, new BatchPlan(64, 64), 4, PpoFixture.SAMPLING, algorithm, 5);
        return GroupTrainer.builder()
                .config(config)
                .policy(trained)
                .sampler(sampler)
                .reference(PpoFixture.policy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS)
                .build();
    }

    /** What makes advantages is what groups are chosen by: a rule may make a difference, or take it away. */
    @Test
    void groupsAreInformativeByWhatTheirScoresCountAs() {
        RewardModel none = batch -> new double[batch.size()];
        GroupAlgorithm drGrpo = GroupAlgorithm.drGrpo();
        GroupConfig plain = config(drGrpo);
        GroupConfig penalised = plain.withRewards(plain.rewards().withMissingStop(new MissingStop.Penalty(1)));
        StepReport byStops = firstStep(PpoFixture.policy(), penalised, none);
        assertThat(byStops.metric("group/informative")).isPositive();
        assertThat(byStops.metric("group/gradient_norm")).isPositive();

        StepReport byLength =
                firstStep(PpoFixture.policy(), config(drGrpo.withOverlong(new OverlongPunishment(4, 4))), none);
        assertThat(byLength.metric("group/informative")).isPositive();

        GroupConfig clipped =
                config(drGrpo.withResamplings(2)).withRewards(plain.rewards().withScoreLimit(0.5));
        RewardModel aboveTheLimit = batch ->
                Arrays.stream(PpoFixture.COUNT_B.score(batch)).map(n -> n + 1).toArray();
        StepReport alike = firstStep(PpoFixture.policy(), clipped, aboveTheLimit);
        assertThat(alike.metric("group/informative")).isZero();
        assertThat(alike.metric("group/gradient_norm")).isZero();
    }

    /** Only the prompt "ab" has responses that differ in worth; the others are drawn again until it fills the rollout. */
    @Test
    void groupsThatTeachNothingAreReplaced() {
        RewardModel onePrompt = batch -> batch.stream()
                .mapToDouble(e -> e.prompt().equals("ab") ? PpoFixture.COUNT_B.score(List.of(e))[0] : 0)
                .toArray();
        GroupAlgorithm once = GroupAlgorithm.drGrpo();
        assertThat(firstStep(PpoFixture.policy(), config(once), onePrompt).metric("group/informative"))
                .isLessThanOrEqualTo(0.5);
        assertThat(firstStep(PpoFixture.policy(), config(once.withResamplings(10)), onePrompt)
                        .metric("group/informative"))
                .isEqualTo(1);
        RewardModel none = batch -> new double[batch.size()];
        StepReport nothing = firstStep(PpoFixture.policy(), config(once.withResamplings(2)), none);
        assertThat(nothing.metric("group/informative")).isZero();
        assertThat(nothing.metric("group/gradient_norm")).isZero();
    }

    @Test
    void responsesToOnePromptStandTogetherAndAreShown() {
        List<List<RolloutSample>> shown = new ArrayList<>();
        GroupTrainer trainer = GroupTrainer.builder()
                .config(config(GroupAlgorithm.grpo()))
                .policy(PpoFixture.policy())
                .reference(PpoFixture.policy())
                .rewardModel(PpoFixture.COUNT_B)
                .prompts(PpoFixture.PROMPTS)
                .onRollout((iteration, samples) -> shown.add(samples))
                .build();
        trainer.run();
        assertThat(shown).hasSize(3);
        for (List<RolloutSample> samples : shown) {
            for (int i = 0; i < samples.size(); i++) {
                assertThat(samples.get(i).exchange().prompt())
                        .isEqualTo(samples.get(i / 4 * 4).exchange().prompt());
            }
        }
    }

    @Test
    void passesOfFewerTokensAreTheSameUpdate() {
        StepReport whole = firstStep(PpoFixture.policy(), config(GroupAlgorithm.grpo()), PpoFixture.COUNT_B);
        StepReport cut = firstStep(
                PpoFixture.policy(), config(GroupAlgorithm.grpo()).withMicroBatchTokens(7), PpoFixture.COUNT_B);
        assertThat(cut.metric("group/gradient_norm"))
                .isCloseTo(whole.metric("group/gradient_norm"), offset(1e-12))
                .isPositive();
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThatThrownBy(() -> GroupAlgorithm.grpo().withLossKl(KlEstimator.K1, 0.1))
                .hasMessageContaining("K1")
                .hasMessageContaining("RewardSettings.kl");
        assertThatThrownBy(
                        () -> GroupConfig.of(1, new BatchPlan(8, 8), 3, PpoFixture.SAMPLING, GroupAlgorithm.grpo(), 1))
                .hasMessageContaining("groups of 3 and a rollout of 8");
        assertThatThrownBy(
                        () -> GroupConfig.of(1, new BatchPlan(8, 8), 1, PpoFixture.SAMPLING, GroupAlgorithm.rloo(), 1))
                .hasMessageContaining("at least 2");
        assertThatThrownBy(() -> GroupConfig.of(
                        1, new BatchPlan(8, 8), 2, PpoFixture.SAMPLING.withTopK(2), GroupAlgorithm.rloo(), 1))
                .hasMessageContaining("exact policy");
        assertThatThrownBy(() -> GroupTrainer.builder().build()).hasMessageContaining("config");
    }
}
