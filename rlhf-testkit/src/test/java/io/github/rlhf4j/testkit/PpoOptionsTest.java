package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Dialect;
import io.github.rlhf4j.ppo.KlBudget;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.RunningMoments;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Options of PPO that another system's conventions, or a limit, ask for. */
class PpoOptionsTest {

    private static final PpoConfig CONFIG = PpoFixture.config(4, new BatchPlan(8, 8));

    private static StepReport firstStep(AdvantageSettings advantages) {
        PpoConfig config = CONFIG.withEpochs(1).withAdvantages(advantages);
        return PpoFixture.builder(PpoFixture.policy(), config).build().step();
    }

    /** Divisor n − 1 makes every advantage, and so the gradient, √((n − 1)/n) times as large. */
    @Test
    void theDivisorOfWhiteningScalesTheGradient() {
        StepReport n = firstStep(AdvantageSettings.defaults());
        StepReport unbiased = firstStep(AdvantageSettings.defaults().withDivisor(AdvantageSettings.Divisor.N_MINUS_1));
        double tokens = 8 * n.metric("rollout/length");
        assertThat(unbiased.metric("ppo/gradient_norm") / n.metric("ppo/gradient_norm"))
                .isCloseTo(Math.sqrt((tokens - 1) / tokens), offset(1e-6))
                .isNotCloseTo(1, offset(1e-3));
    }

    /** A reward model of any scale is the same one then: the run has the same updates, which it has not without. */
    @ParameterizedTest
    @EnumSource(names = {"RUNNING_DEVIATION", "RUNNING_STANDARDIZED"})
    void withScalingTheScaleOfTheRewardModelDoesNotMatter(RewardSettings.Scaling scaling) {
        assertThat(gradientNorms(scaling, 1000)).isNotEmpty().allSatisfy((step, norm) -> assertThat(norm)
                .isCloseTo(gradientNorms(scaling, 1).get(step), within(1e-4)));
        assertThat(gradientNorms(RewardSettings.Scaling.NONE, 1000).get(4L))
                .isNotCloseTo(gradientNorms(RewardSettings.Scaling.NONE, 1).get(4L), within(1e-3));
    }

    private static Map<Long, Double> gradientNorms(RewardSettings.Scaling scaling, double scale) {
        PpoConfig config = CONFIG.withRewards(CONFIG.rewards().withScaling(scaling));
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), config)
                .rewardModel(scaled(scale))
                .build();
        Map<Long, Double> norms = new HashMap<>();
        trainer.run((t, report) -> {
            norms.put(report.step(), report.metric("ppo/gradient_norm"));
            return true;
        });
        return norms;
    }

    private static RewardModel scaled(double scale) {
        return batch -> Arrays.stream(PpoFixture.COUNT_B.score(batch))
                .map(score -> scale * score)
                .toArray();
    }

    /** The scale reported is the deviation of the scores of all rollouts, not of the last. */
    @Test
    void scoresAreScaledByThoseOfTheWholeRun() {
        RewardSettings rewards = CONFIG.rewards().withScaling(RewardSettings.Scaling.RUNNING_DEVIATION);
        RunningMoments[] moments = {RunningMoments.NONE};
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), CONFIG.withRewards(rewards))
                .onRollout((iteration, samples) -> moments[0] = moments[0].plus(
                        samples.stream().mapToDouble(RolloutSample::score).toArray()))
                .build();
        trainer.run((t, report) -> {
            assertThat(moments[0].count()).isEqualTo(8 * report.step());
            assertThat(report.metric("objective/score_scale")).isEqualTo(moments[0].scale());
            return true;
        });
        assertThat(firstStep(AdvantageSettings.defaults()).metrics()).doesNotContainKey("objective/score_scale");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "INSTRUCT_GPT")
    void everyDialectTrains(Dialect dialect) {
        PpoTrainer trainer =
                PpoFixture.builder(PpoFixture.policy(), dialect.applyTo(CONFIG)).build();
        double first = trainer.step().metric("objective/score");
        while (trainer.stepsDone() < 3) {
            trainer.step();
        }
        assertThat(trainer.step().metric("objective/score")).isGreaterThan(first);
    }

    @Test
    void aBudgetOfKlStopsTheRun() {
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), CONFIG).build();
        trainer.run(new KlBudget(1e-3));
        assertThat(trainer.stepsDone()).isEqualTo(2); // the first rollout is the reference's own
        PpoTrainer free = PpoFixture.builder(PpoFixture.policy(), CONFIG).build();
        free.run(new KlBudget(1e3));
        assertThat(free.finished()).isTrue();
        assertThatThrownBy(() -> new KlBudget(0)).hasMessageContaining("> 0");
        assertThatThrownBy(() -> new KlBudget(1).onStep(free, new StepReport("sft", 1, 2, Map.of("sft/loss", 1.0))))
                .hasMessageContaining("objective/kl")
                .hasMessageContaining("sft/loss");
    }

    /** Where length is what is paid the correlation says so; the quarters' KL is 0 at first, as the whole's. */
    @Test
    void reportsWhetherLengthIsPaidAndWhereTheKlIs() {
        StepReport paid = PpoFixture.builder(PpoFixture.policy(), CONFIG)
                .rewardModel(batch -> batch.stream()
                        .mapToDouble(e -> 3 + 2 * e.response().length())
                        .toArray())
                .build()
                .step();
        assertThat(paid.metric("rollout/score_length_correlation")).isGreaterThan(0.9);
        assertThat(paid.metric("objective/kl_quarter_1")).isCloseTo(0, offset(1e-12));
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), CONFIG).build();
        trainer.step();
        StepReport second = trainer.step();
        assertThat(second.metric("objective/kl_quarter_1")).isNotCloseTo(0, offset(1e-6));
        assertThat(second.metrics()).containsKey("objective/kl_quarter_4");
    }
}
