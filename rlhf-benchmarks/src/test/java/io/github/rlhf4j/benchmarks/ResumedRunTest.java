package io.github.rlhf4j.benchmarks;

import static io.github.rlhf4j.benchmarks.TinyModels.FORMAT;
import static io.github.rlhf4j.benchmarks.TinyModels.OPTIMIZER;
import static io.github.rlhf4j.benchmarks.TinyModels.TOKENIZER;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Demonstration;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.DpoTrainerBuilder;
import io.github.rlhf4j.reward.TransformerRewardModel;
import io.github.rlhf4j.reward.math.RankingLoss;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.reward.training.RewardModelTrainer;
import io.github.rlhf4j.transformer.TransformerActorCritic;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.model.ParameterStore;
import io.github.rlhf4j.transformer.training.PackedDocuments;
import io.github.rlhf4j.transformer.training.PretrainingConfig;
import io.github.rlhf4j.transformer.training.PretrainingTrainer;
import io.github.rlhf4j.transformer.training.SftConfig;
import io.github.rlhf4j.transformer.training.SftTrainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Elsewhere a resumed run forgets the optimiser's moments, the KL coefficient or where it was in the data (NeMo-RL #3171,
 * torchforge #362, open-instruct #1523, Open-Reasoner-Zero #34, ms-swift #9935). Here every stage, on a real transformer,
 * continues to the same bits.
 */
class ResumedRunTest {

    private static final int STEPS = 4;

    /** A run that has not begun, and the parameters it moves. */
    private record Run(Trainer trainer, List<ParameterStore> moved) {

        List<StepReport> steps(int count) {
            return Stream.generate(trainer::step).limit(count).toList();
        }

        List<float[]> bits() {
            return moved.stream().map(TinyModels::bits).toList();
        }
    }

    /** Each stage begins from other weights with another seed; data, settings and reference are the same. */
    enum Stage {
        PRETRAINING {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerPolicy model = models.policy(TinyModels.shape().withDropout(0.2), seed);
                PackedDocuments text = PackedDocuments.of(TOKENIZER, List.of("abcdefgh?hgfedcba?".repeat(9)));
                PretrainingConfig config = PretrainingConfig.defaults(STEPS, 12)
                        .withBatchSize(4)
                        .withMicroBatchTokens(30)
                        .withEvaluation(1, 3);
                return new Run(new PretrainingTrainer(model, text, text, config), List.of(model.parameters()));
            }
        },
        SFT {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerPolicy model = models.policy(TinyModels.shape().withDropout(0.2), seed);
                List<Demonstration> demonstrations = IntStream.range(1, 9)
                        .mapToObj(i -> Demonstration.of("a".repeat(i) + "?", "b".repeat(9 - i)))
                        .toList();
                SftConfig config = SftConfig.defaults(2, TinyModels.CONTEXT)
                        .withBatchSize(4)
                        .withMicroBatchTokens(30)
                        .withEvaluateEvery(1);
                return new Run(
                        new SftTrainer(model, FORMAT, demonstrations, demonstrations.subList(0, 2), config),
                        List.of(model.parameters()));
            }
        },
        REWARD {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerRewardModel model =
                        models.owned(TransformerRewardModel.of(models.policy(seed), FORMAT, OPTIMIZER, seed));
                PreferenceDataset rankings = PreferenceDataset.of(IntStream.range(1, 9)
                        .mapToObj(i -> Ranking.ofPair(Conversation.of("?"), "a".repeat(i), "b".repeat(9 - i)))
                        .toList());
                RewardModelConfig config = new RewardModelConfig(
                        2,
                        4,
                        new LearningRateSchedule.WarmupLinear(1e-3, 1, STEPS),
                        RankingLoss.instructGpt(),
                        30,
                        1,
                        3);
                return new Run(
                        new RewardModelTrainer(model, rankings, rankings, config),
                        List.of(model.network().parameters()));
            }
        },
        DPO {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerPolicy policy = models.policy(seed);
                return new Run(
                        dpo(policy, DpoConfig.ReferenceScoring.PRECOMPUTED).build(), List.of(policy.parameters()));
            }
        },
        DPO_WITH_A_REFERENCE_THAT_SCORES_EACH_STEP {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerPolicy policy = models.policy(seed);
                Trainer trainer = dpo(policy, DpoConfig.ReferenceScoring.EACH_STEP)
                        .reference(models.policy(1))
                        .build();
                return new Run(trainer, List.of(policy.parameters()));
            }
        },
        PPO_WITH_A_SEPARATE_CRITIC {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerPolicy policy = models.policy(seed);
                TransformerValueFunction critic = models.critic(seed);
                Trainer trainer = PpoTrainer.builder()
                        .config(ppoConfig())
                        .policy(policy)
                        .reference(models.policy(1))
                        .rewardModel(TinyModels.TASTE)
                        .critic(Critic.separate(critic))
                        .prompts(TinyModels.prompts())
                        .pretraining(texts())
                        .build();
                return new Run(
                        trainer, List.of(policy.parameters(), critic.model().parameters()));
            }
        },
        PPO_ON_A_SHARED_TRUNK {
            @Override
            Run begin(TinyModels models, long seed) {
                TransformerActorCritic model =
                        models.owned(TransformerActorCritic.of(models.policy(seed), OPTIMIZER, seed));
                Trainer trainer = PpoTrainer.builder()
                        .config(ppoConfig())
                        .policy(model)
                        .reference(models.policy(1))
                        .rewardModel(TinyModels.TASTE)
                        .critic(Critic.sharedTrunk())
                        .prompts(TinyModels.prompts())
                        .pretraining(texts())
                        .build();
                return new Run(trainer, List.of(model.parameters()));
            }
        };

        abstract Run begin(TinyModels models, long seed);

        /** Eight pairs twice, four at a time, each in several passes. */
        private static DpoTrainerBuilder dpo(TransformerPolicy policy, DpoConfig.ReferenceScoring scoring) {
            PreferenceDataset pairs = PreferenceDataset.of(IntStream.range(1, 9)
                    .mapToObj(i -> Ranking.ofPair(Conversation.of("?"), "a".repeat(i), "b".repeat(9 - i)))
                    .toList());
            return DpoTrainer.builder()
                    .config(DpoConfig.defaults(2, 3)
                            .withBatchSize(4)
                            .withMicroBatchTokens(30)
                            .withReferenceScoring(scoring)
                            .withSchedule(new LearningRateSchedule.WarmupLinear(1e-3, 1, STEPS))
                            .withEvaluateEvery(1))
                    .policy(policy)
                    .format(FORMAT)
                    .preferences(pairs)
                    .heldOut(pairs);
        }

        /** The adaptive KL coefficient and the order of PPO-ptx's texts are state too. */
        private static PpoConfig ppoConfig() {
            return TinyModels.ppoConfig(STEPS)
                    .withLosses(LossSettings.defaults().withPtx(1, 2));
        }

        private static List<ScoredSequence> texts() {
            return Stream.of("abc", "hgfedcba", "aa?bb", "cdcdcd", "gh")
                    .map(TOKENIZER::encode)
                    .map(ScoredSequence::ofText)
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aKilledRunGoesOnToTheBitsOfTheUninterruptedOne(Stage stage, @TempDir Path directory) throws Exception {
        try (TinyModels models = new TinyModels()) {
            Run uninterrupted = stage.begin(models, 1);
            assertThat(uninterrupted.trainer().totalSteps()).isEqualTo(STEPS);
            List<float[]> initial = uninterrupted.bits();
            List<StepReport> expected = uninterrupted.steps(STEPS);

            Run killed = stage.begin(models, 1);
            List<StepReport> reports = new ArrayList<>(killed.steps(2));
            killed.trainer().save(directory.resolve("checkpoint"));
            killed.steps(1); // lost with the process

            Run resumed = stage.begin(models, 99);
            assertThat(resumed.bits()).usingRecursiveComparison().isNotEqualTo(initial);
            resumed.trainer().restore(directory.resolve("checkpoint"));
            reports.addAll(resumed.steps(2));

            assertThat(reports).isEqualTo(expected);
            assertThat(resumed.trainer().finished()).isTrue();
            List<float[]> bits = resumed.bits();
            for (int i = 0; i < bits.size(); i++) {
                assertThat(bits.get(i)).isEqualTo(uninterrupted.bits().get(i)).isNotEqualTo(initial.get(i));
            }
        }
    }
}
