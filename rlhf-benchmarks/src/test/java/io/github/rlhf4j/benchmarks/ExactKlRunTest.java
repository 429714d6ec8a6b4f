package io.github.rlhf4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.KlPenalty;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.LoraTarget;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Runs of real transformers whose only KL is the exact one in the loss: it is what holds them back. */
class ExactKlRunTest {

    private static final int ITERATIONS = 12;
    private static final RewardSettings NO_KL =
            new RewardSettings(new KlController.Fixed(0), new MissingStop.Keep(), 0, false);

    private static Trainer ppo(TinyModels models, TrainablePolicy policy, Critic critic, double coefficient) {
        PpoConfig config = PpoConfig.of(ITERATIONS, new BatchPlan(32, 16), TinyModels.SAMPLING, 5)
                .withMicroBatchTokens(60)
                .withRewards(NO_KL)
                .withRates(new LearningRateSchedule.Constant(3e-3), new LearningRateSchedule.Constant(3e-3));
        return models.ppo(models.policy(1), config.withLosses(config.losses().withKl(new KlPenalty.Exact(coefficient))))
                .policy(policy)
                .critic(critic)
                .build();
    }

    /**
     * KL at the end, K1 of the samples, nats per sequence.
     *
     * @param exact the metric of the exact one
     * @param isInLoss whether it is there
     */
    private static double lastKl(Trainer trainer, String exact, boolean isInLoss) {
        StepReport report = trainer.step();
        assertThat(report.metric("objective/kl")).isCloseTo(0, within(1e-3));
        while (!trainer.finished()) {
            report = trainer.step();
        }
        assertThat(report.metrics().containsKey(exact)).isEqualTo(isInLoss);
        if (isInLoss) {
            assertThat(report.metric(exact)).isPositive();
        }
        return report.metric("objective/kl");
    }

    @Test
    void ppoWithACriticOfItsOwn() {
        try (TinyModels models = new TinyModels()) {
            double free =
                    lastKl(ppo(models, models.policy(1), Critic.separate(models.critic(7)), 0), "ppo/exact_kl", false);
            double held =
                    lastKl(ppo(models, models.policy(1), Critic.separate(models.critic(7)), 1), "ppo/exact_kl", true);
            assertThat(held).isLessThan(free / 2);
        }
    }

    @Test
    void ppoOnASharedTrunk() {
        try (TinyModels models = new TinyModels()) {
            double[] kl = new double[2];
            for (int coefficient = 0; coefficient < 2; coefficient++) {
                TransformerActorCritic both =
                        models.owned(TransformerActorCritic.of(models.policy(1), TinyModels.OPTIMIZER, 3));
                kl[coefficient] =
                        lastKl(ppo(models, both, Critic.sharedTrunk(), coefficient), "ppo/exact_kl", coefficient > 0);
            }
            assertThat(kl[1]).isLessThan(kl[0] / 2);
        }
    }

    /** The reference is the model below the adapters; GRPO's advantages are of size 1, so that it takes a larger coefficient. */
    @Test
    void grpoOfAdapters() {
        try (TinyModels models = new TinyModels()) {
            TransformerPolicy base = models.policy(1);
            double[] kl = new double[2];
            for (int i = 0; i < 2; i++) {
                LoraConfig lora = new LoraConfig(4, 8, 0, Set.of(LoraTarget.QUERY, LoraTarget.VALUE, LoraTarget.UP));
                TransformerPolicy policy = models.owned(base.withLora(lora, TinyModels.OPTIMIZER, 2));
                GroupAlgorithm algorithm = GroupAlgorithm.grpo().withLossKl(new KlPenalty.Exact(20 * i));
                GroupConfig config = GroupConfig.of(
                                ITERATIONS, new BatchPlan(32, 16), 8, TinyModels.SAMPLING, algorithm, 5)
                        .withRewards(NO_KL)
                        .withRate(new LearningRateSchedule.Constant(1e-2));
                kl[i] = lastKl(
                        GroupTrainer.builder()
                                .config(config)
                                .policy(policy)
                                .reference(base)
                                .rewardModel(TinyModels.TASTE)
                                .prompts(TinyModels.prompts())
                                .build(),
                        "group/exact_kl",
                        i > 0);
            }
            assertThat(kl[1]).isLessThan(kl[0] / 2);
        }
    }
}
