package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainablePolicy;
import io.github.rlhf4j.core.data.PreferenceFiles;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.control.CartPole;
import io.github.rlhf4j.ppo.control.ControlConfig;
import io.github.rlhf4j.ppo.control.ControlTrainer;
import io.github.rlhf4j.ppo.control.Environment;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.math.OverlongPunishment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.io.TempDir;

/** What core, ppo and this module implement keeps the contracts. */
class OwnContractsTest {

    private static final List<Ranking> RANKINGS = List.of(
            Ranking.ofPair(Conversation.of("a cat?"), "a feline", "no"),
            new Ranking(Conversation.of("a dog?"), List.of("a", "b", "c"), List.of(1, 0, 1)));

    @Nested
    class Tabular extends TrainablePolicyContract {

        @Override
        protected TabularPolicy policy() {
            return PpoFixture.policy();
        }

        @Override
        protected Policy klReference() {
            return otherPolicy();
        }

        @Override
        protected double tolerance() {
            return 1e-9;
        }
    }

    private static TabularPolicy otherPolicy() {
        return TabularPolicy.random(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults(), 2, 0.5);
    }

    private static TabularActorCritic withValues() {
        return new TabularActorCritic(
                PpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, 16, TabularOptimizer.Adam.defaults());
    }

    @Nested
    class TabularWithValues extends ActorCriticContract {

        @Override
        protected TabularActorCritic policy() {
            return withValues();
        }

        @Override
        protected Policy klReference() {
            return otherPolicy();
        }
    }

    /** As one that knows of no exact KL: the defaults of {@link TrainablePolicy}. */
    @Nested
    class TabularWithoutExactKl extends TrainablePolicyContract {

        @Override
        protected TrainablePolicy policy() {
            return new WithoutExactKl(PpoFixture.policy());
        }
    }

    @Nested
    class ValuesBesideAPolicy extends ValueFunctionContract {

        @Override
        protected TabularActorCritic valueFunction() {
            return withValues();
        }
    }

    @Nested
    class TabularValues extends TrainableValueFunctionContract {

        @Override
        protected TabularValueFunction valueFunction() {
            return PpoFixture.values();
        }
    }

    @Nested
    class Letters extends TokenizerContract {

        @Override
        protected Tokenizer tokenizer() {
            return PpoFixture.LETTERS;
        }

        @Override
        protected List<String> texts() {
            return List.of("", "a", "abba");
        }
    }

    @Nested
    class Lambda extends RewardModelContract {

        @Override
        protected RewardModel rewardModel() {
            return PpoFixture.COUNT_B;
        }
    }

    @Nested
    class ListOfRankings extends PreferenceDatasetContract {

        @Override
        protected PreferenceDataset dataset() {
            return PreferenceDataset.of(RANKINGS);
        }
    }

    @Nested
    class FileOfRankings extends PreferenceDatasetContract {

        @TempDir
        Path directory;

        @Override
        protected PreferenceDataset dataset() {
            try {
                Path file = directory.resolve("rankings.jsonl.gz");
                PreferenceFiles.write(file, RANKINGS);
                return PreferenceFiles.read(file);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Nested
    class Ppo extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(4, new BatchPlan(8, 4)))
                    .build();
        }
    }

    /** The moments of the scores are part of the state. */
    @Nested
    class PpoWithScaledRewards extends TrainerContract {

        @Override
        protected Trainer trainer() {
            PpoConfig config = PpoFixture.config(4, new BatchPlan(8, 4));
            RewardSettings rewards = config.rewards().withScaling(RewardSettings.Scaling.RUNNING_STANDARDIZED);
            return PpoFixture.builder(PpoFixture.policy(), config.withRewards(rewards))
                    .build();
        }
    }

    @Nested
    class PpoOfDialogues extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return DialogueFixture.builder(DialogueFixture.policy(), DialogueFixture.config(4, new BatchPlan(8, 4)))
                    .environment(DialogueFixture.CHANCE)
                    .build();
        }
    }

    /** Dialogues are drawn again where a group is of no use, and a checkpoint knows how many. */
    @Nested
    class GroupsOfDialogues extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return GroupDialogueTest.group(
                            DialogueFixture.policy(),
                            GroupDialogueTest.config(4, GroupAlgorithm.dapo(new OverlongPunishment(2, 1))))
                    .environment(DialogueFixture.CHANCE)
                    .build();
        }
    }

    /** Updates are undone in most of these steps; nothing of that outlives one. */
    @Nested
    class PpoWithinABudget extends TrainerContract {

        @Override
        protected Trainer trainer() {
            PpoConfig config = PpoFixture.config(4, new BatchPlan(8, 4))
                    .withGuards(GuardSettings.defaults().withKlBudget(0.01));
            return PpoFixture.builder(PpoFixture.policy(), config).build();
        }
    }

    @Nested
    class PoleOnACart extends EnvironmentContract {

        @Override
        protected Environment environment() {
            return new CartPole();
        }
    }

    @Nested
    class AUserWhoSaysSomethingByChance extends DialogueEnvironmentContract {

        @Override
        protected DialogueEnvironment environment() {
            return DialogueFixture.CHANCE;
        }

        @Override
        protected Tokenizer tokenizer() {
            return DialogueFixture.LETTERS;
        }

        @Override
        protected List<Prompt> prompts() {
            return DialogueFixture.PROMPTS;
        }

        @Override
        protected List<String> turns() {
            return List.of("a", "b", "c");
        }
    }

    /** Rollouts of 5 steps: a checkpoint lies in the middle of episodes. */
    @Nested
    class Control extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return new ControlTrainer(ControlConfig.of(6, 3).withRollout(2, 5, 5), CartPole::new);
        }
    }

    @Nested
    class Group extends TrainerContract {

        @Override
        protected Trainer trainer() {
            TabularPolicy policy = PpoFixture.policy();
            GroupConfig config = GroupConfig.of(
                            4,
                            new BatchPlan(8, 4),
                            2,
                            PpoFixture.SAMPLING,
                            GroupAlgorithm.dapo(new OverlongPunishment(4, 2)),
                            3)
                    .withRate(new LearningRateSchedule.Constant(0.05));
            return GroupTrainer.builder()
                    .config(config)
                    .policy(policy)
                    .reference(policy.copy())
                    .rewardModel(PpoFixture.COUNT_B)
                    .prompts(PpoFixture.PROMPTS)
                    .build();
        }
    }
}
