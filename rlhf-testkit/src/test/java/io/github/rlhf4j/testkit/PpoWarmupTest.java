package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Checkpointable;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first iterations of a run may be the value function's alone. */
class PpoWarmupTest {

    private static final int WARMUP = 3;
    private static final PpoConfig PLAIN = PpoFixture.config(6, new BatchPlan(64, 32))
            .withRates(new LearningRateSchedule.Constant(0.05), new LearningRateSchedule.Constant(0.1));
    private static final PpoConfig CONFIG = PLAIN.withLosses(PLAIN.losses().withValueWarmup(WARMUP));

    @TempDir
    private Path directory;

    private byte[] bits(Checkpointable model) throws IOException {
        Path saved = Files.createTempDirectory(directory, "bits");
        model.saveState(saved);
        return Files.readAllBytes(saved.resolve("table.bin"));
    }

    private static PpoTrainer trainer(TabularPolicy policy, TabularValueFunction values, PpoConfig config) {
        return PpoFixture.builder(policy, config)
                .reference(PpoFixture.policy())
                .critic(Critic.separate(values))
                .rewardModel(batch -> Arrays.stream(PpoFixture.COUNT_B.score(batch))
                        .map(score -> score + 3)
                        .toArray())
                .pretraining(List.of(ScoredSequence.ofText(PpoFixture.LETTERS.encode("aaaa"))))
                .build();
    }

    /** Parameters and optimiser both, with a KL budget that the updates of a policy would be measured by, and with ptx. */
    @Test
    void thePolicyStaysToTheBitWhileTheValueFunctionLearns() throws IOException {
        TabularPolicy policy = PpoFixture.policy();
        byte[] before = bits(policy);
        PpoConfig config = CONFIG.withGuards(GuardSettings.defaults().withKlBudget(100))
                .withLosses(CONFIG.losses().withPtx(1, 1))
                .withRewards(CONFIG.rewards().withKl(KlController.Adaptive.perSequence(0.2, 1)));
        PpoTrainer trainer = trainer(policy, PpoFixture.values(), config);
        List<StepReport> reports = new ArrayList<>();
        for (int i = 0; i < WARMUP; i++) {
            reports.add(trainer.step());
            assertThat(bits(policy)).isEqualTo(before);
            assertThat(trainer.klCoefficient()).isEqualTo(0.2);
            StepReport report = reports.get(i);
            assertThat(report.metric("ppo/ratio")).isEqualTo(1);
            assertThat(report.metric("ppo/gradient_norm")).isZero();
            assertThat(report.metric("ppo/learning_rate")).isZero();
            assertThat(report.metric("ppo/value_learning_rate")).isEqualTo(0.1);
            assertThat(report.metric("ppo/updates")).isEqualTo(8);
            assertThat(report.metric("objective/entropy")).isPositive();
        }
        assertThat(reports.get(WARMUP - 1).metric("ppo/value_loss"))
                .isLessThan(0.8 * reports.get(0).metric("ppo/value_loss"));
        StepReport next = trainer.step();
        assertThat(bits(policy)).isNotEqualTo(before);
        assertThat(next.metrics().keySet()).containsAll(reports.get(0).metrics().keySet());
        assertThat(next.metric("ppo/learning_rate")).isEqualTo(0.05);
        assertThat(trainer.klCoefficient()).isNotEqualTo(0.2);
    }

    /** What it learns is what it would beside a policy with a learning rate of 0. */
    @Test
    void theValueFunctionLearnsAsBesideAPolicyThatDoesNotMove() throws IOException {
        TabularValueFunction warmed = PpoFixture.values();
        PpoTrainer trainer = trainer(PpoFixture.policy(), warmed, CONFIG);
        TabularValueFunction beside = PpoFixture.values();
        PpoTrainer still = trainer(
                PpoFixture.policy(),
                beside,
                PLAIN.withRates(new LearningRateSchedule.Constant(0), new LearningRateSchedule.Constant(0.1)));
        for (int i = 0; i < WARMUP; i++) {
            assertThat(trainer.step().metric("ppo/value_loss"))
                    .isEqualTo(still.step().metric("ppo/value_loss"));
        }
        assertThat(bits(warmed)).isEqualTo(bits(beside)).isNotEqualTo(bits(PpoFixture.values()));
    }

    @Test
    void aRunResumedInTheMiddleOfItEqualsTheUninterruptedOneBitForBit() throws IOException {
        TabularPolicy straight = PpoFixture.policy();
        List<StepReport> expected = new ArrayList<>();
        trainer(straight, PpoFixture.values(), CONFIG).run((t, report) -> expected.add(report));

        PpoTrainer first = trainer(PpoFixture.policy(), PpoFixture.values(), CONFIG);
        first.step();
        first.step();
        first.save(directory.resolve("checkpoint"));
        TabularPolicy resumed = PpoFixture.policy();
        PpoTrainer second = trainer(resumed, PpoFixture.values(), CONFIG);
        second.restore(directory.resolve("checkpoint"));
        List<StepReport> rest = new ArrayList<>();
        second.run((t, report) -> rest.add(report));
        assertThat(rest).isEqualTo(expected.subList(2, 6));
        assertThat(bits(resumed)).isEqualTo(bits(straight)).isNotEqualTo(bits(PpoFixture.policy()));

        PpoTrainer other = trainer(PpoFixture.policy(), PpoFixture.values(), PLAIN);
        assertThatThrownBy(() -> other.restore(directory.resolve("checkpoint")))
                .hasMessageContaining("valueWarmup was 3, is 0");
    }

    @Test
    void whereTheValueLossWouldMoveThePolicyItIsRefused() {
        TabularActorCritic model = new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
        assertThatThrownBy(() -> PpoFixture.builder(model, CONFIG)
                        .critic(Critic.sharedTrunk())
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the value loss moves the trunk")
                .hasMessageContaining("Critic.separate");
        assertThatThrownBy(() -> PLAIN.withLosses(LossSettings.defaults().withValueWarmup(6)))
                .hasMessageContaining("a valueWarmup of 6 iterations leaves none of the 6");
        assertThatThrownBy(() -> LossSettings.defaults().withValueWarmup(-1)).hasMessageContaining("got -1");
    }
}
