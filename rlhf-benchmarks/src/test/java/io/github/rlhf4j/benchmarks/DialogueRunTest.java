package io.github.rlhf4j.benchmarks;

import static io.github.rlhf4j.benchmarks.TinyModels.TOKENIZER;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.Reaction;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.transformer.TransformerPolicy;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** PPO and GRPO of a real transformer on dialogues of two turns. */
class DialogueRunTest {

    /** Asks back, and pays for a's in the second turn. */
    private static final DialogueEnvironment ASKS_BACK = dialogue -> dialogue.turn() == 0
            ? Reaction.goOn(0, TOKENIZER.encode("h?"))
            : Reaction.end(dialogue.turnText().chars().filter(c -> c == 'a').count());

    /**
     * Turn after turn is drawn with what was said before as the prompt, and scored in one pass over the dialogue, in which
     * only the policy's tokens are read: the two agree before each first update, or the trainer would stop.
     */
    @Test
    void turnsAreScoredAsTheyWereDrawnAndTheirRewardIsLearned() {
        try (TinyModels models = new TinyModels()) {
            TransformerPolicy policy = models.policy(1);
            PpoConfig config = PpoConfig.of(30, new BatchPlan(32, 16), Sampling.exact(3, 1, Set.of()), 5)
                    .withMicroBatchTokens(200)
                    .withRewards(new RewardSettings(new KlController.Fixed(0.01), new MissingStop.Keep(), 0, false))
                    .withRates(new LearningRateSchedule.Constant(3e-3), new LearningRateSchedule.Constant(3e-3));
            PpoTrainer trainer = PpoTrainer.builder()
                    .config(config)
                    .policy(policy)
                    .reference(models.owned(policy.copy()))
                    .critic(Critic.separate(models.critic(7)))
                    .prompts(TinyModels.prompts())
                    .environment(ASKS_BACK)
                    .build();
            double first = 0;
            double last = 0;
            while (!trainer.finished()) {
                StepReport report = trainer.step();
                assertThat(report.metric("rollout/turns")).isEqualTo(2);
                assertThat(report.metric("rollout/length")).isEqualTo(6);
                assertThat(report.metric("ppo/on_policy_error")).isLessThan(1e-4);
                first += report.step() <= 5 ? report.metric("objective/score") / 5 : 0;
                last += report.step() > 25 ? report.metric("objective/score") / 5 : 0;
            }
            assertThat(last).isGreaterThan(first + 1);
        }
    }

    /** The same without a value function: groups of dialogues. */
    @Test
    void groupsOfDialoguesAreScoredAsTheyWereDrawnAndLearnedFrom() {
        try (TinyModels models = new TinyModels()) {
            TransformerPolicy policy = models.policy(1);
            GroupConfig config = GroupConfig.of(
                            30, new BatchPlan(32, 16), 4, Sampling.exact(3, 1, Set.of()), GroupAlgorithm.grpo(), 5)
                    .withMicroBatchTokens(200)
                    .withRate(new LearningRateSchedule.Constant(3e-3));
            GroupTrainer trainer = GroupTrainer.builder()
                    .config(config)
                    .policy(policy)
                    .reference(models.owned(policy.copy()))
                    .prompts(TinyModels.prompts())
                    .environment(ASKS_BACK)
                    .build();
            double first = 0;
            double last = 0;
            while (!trainer.finished()) {
                StepReport report = trainer.step();
                assertThat(report.metric("rollout/turns")).isEqualTo(2);
                assertThat(report.metric("group/on_policy_error")).isLessThan(1e-4);
                first += report.step() <= 5 ? report.metric("objective/score") / 5 : 0;
                last += report.step() > 25 ? report.metric("objective/score") / 5 : 0;
            }
            assertThat(last).isGreaterThan(first + 1);
        }
    }
}
