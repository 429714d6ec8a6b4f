package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.GuardSettings;
import io.github.rlhf4j.ppo.preference.ImplicitRewardModel;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.math.BcoLoss;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Training on preferences, and the reward it leaves behind, keep the contracts. */
class DpoContractsTest {

    @Nested
    class Pairs extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2).withEvaluateEvery(2))
                    .heldOut(DpoFixture.pairs())
                    .build();
        }
    }

    @Nested
    class Judgements extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2).withLoss(new KtoLoss(0.1)))
                    .build();
        }
    }

    /** BCO's mean reward is part of the state. */
    @Nested
    class Shifted extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(3).withLoss(new BcoLoss(0.5)))
                    .build();
        }
    }

    @Nested
    class Online extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return OnlineDpoTest.builder(PpoFixture.policy(), OnlineDpoTest.config(4))
                    .build();
        }
    }

    @Nested
    class OnlineOfDialogues extends TrainerContract {

        @Override
        protected Trainer trainer() {
            return GroupDialogueTest.pairs(DialogueFixture.policy(), GroupDialogueTest.config(4))
                    .environment(DialogueFixture.CHANCE)
                    .build();
        }
    }

    /** With all that a checkpoint must bring back, or must not need: a running shift, several epochs, updates undone. */
    @Nested
    class OnlineWithinABudget extends TrainerContract {

        @Override
        protected Trainer trainer() {
            OnlineDpoConfig config = OnlineDpoTest.config(4)
                    .withEpochs(2)
                    .withLoss(new BcoLoss(0.5))
                    .withGuards(GuardSettings.defaults().withKlBudget(0.02));
            return OnlineDpoTest.builder(PpoFixture.policy(), config).build();
        }
    }

    @Nested
    class Implicit extends RewardModelContract {

        @Override
        protected RewardModel rewardModel() {
            TabularPolicy other = TabularPolicy.random(
                    DpoFixture.LETTERS,
                    TabularContext.WHOLE_PREFIX,
                    DpoFixture.CONTEXT,
                    new TabularOptimizer.Sgd(),
                    2,
                    1);
            return ImplicitRewardModel.of(DpoFixture.policy(), other, DpoFixture.FORMAT, ImplicitReward.logRatio(0.1));
        }

        @Override
        protected List<Exchange> exchanges() {
            return List.of(
                    Exchange.of("aa", "a"), Exchange.of("ab", "bb"), Exchange.of("ab", ""), Exchange.of("aa", "a"));
        }

        /** The contract makes tokens up, from no vocabulary; those of the policy are what this model scores. */
        @Override
        @Test
        public void tokenRewardsAddUpToTheScore() {
            double[] scores = rewardModel().score(exchanges());
            double[][] rewards = rewardModel()
                    .scoreTokens(
                            exchanges(),
                            exchanges().stream()
                                    .map(exchange -> DpoFixture.FORMAT.response(exchange.response()))
                                    .toList());
            for (int i = 0; i < scores.length; i++) {
                assertThat(Arrays.stream(rewards[i]).sum()).isCloseTo(scores[i], within(1e-12));
            }
        }
    }
}
