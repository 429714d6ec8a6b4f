package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.preference.ImplicitRewardModel;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import java.util.List;
import org.junit.jupiter.api.Nested;

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
    }
}
