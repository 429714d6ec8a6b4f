package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.reward.math.RankingLoss;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.reward.training.RewardModelTrainer;
import io.github.rlhf4j.testkit.RewardModelContract;
import io.github.rlhf4j.testkit.TrainerContract;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;

/** What this module implements keeps the contracts that users' own classes are tested with. */
class RewardContractsTest {

    private static final CharacterTokenizer TOKENIZER = CharacterTokenizer.fromTexts(
            List.of("abcdefgh?!"), RoleChatFormat.specialTokens().toArray(String[]::new));
    private static final List<Exchange> EXCHANGES =
            List.of(Exchange.of("?", "a"), Exchange.of("ab?", "hgfedc!"), Exchange.of("?", ""), Exchange.of("?", "ab"));

    private final List<TransformerRewardModel> open = new ArrayList<>();

    @AfterEach
    void close() {
        open.forEach(TransformerRewardModel::close);
    }

    private TransformerRewardModel model(long seed) {
        AdamWConfig optimizer = AdamWConfig.gpt3();
        TransformerConfig config = TransformerConfig.gpt2(TOKENIZER.vocabularySize(), 24, 16, 2, 2);
        try (TransformerPolicy trunk = TransformerPolicy.create(config, TOKENIZER, optimizer, seed)) {
            TransformerRewardModel model =
                    TransformerRewardModel.of(trunk, new RoleChatFormat(TOKENIZER), optimizer, seed);
            open.add(model);
            return model;
        }
    }

    @Nested
    class Transformer extends TrainableRewardModelContract {

        @Override
        protected TransformerRewardModel rewardModel() {
            return model(1);
        }

        @Override
        protected List<Exchange> exchanges() {
            return EXCHANGES;
        }
    }

    @Nested
    class Ensemble extends RewardModelContract {

        @Override
        protected RewardModel rewardModel() {
            return new RewardEnsemble(List.of(model(1), model(2)), new RewardEnsemble.LowerBound(1));
        }

        @Override
        protected List<Exchange> exchanges() {
            return EXCHANGES;
        }
    }

    @Nested
    class Rules extends RewardModelContract {

        @Override
        protected RewardModel rewardModel() {
            RewardModel length = RewardModels.of(e -> e.response().length());
            return RewardModels.clipped(RewardModels.weightedSum(new RewardModels.Weighted(length, -0.1)), -1, 1);
        }
    }

    @Nested
    class Training extends TrainerContract {

        @Override
        protected Trainer trainer() {
            PreferenceDataset rankings = PreferenceDataset.of(List.of(
                    Ranking.ofPair(Conversation.of("?"), "aa", "b"),
                    Ranking.ofPair(Conversation.of("a?"), "ac", "bd"),
                    Ranking.ofPair(Conversation.of("b?"), "a", "bbb")));
            RewardModelConfig config = new RewardModelConfig(
                    2, 2, new LearningRateSchedule.Constant(1e-3), RankingLoss.instructGpt(), 1000, 2, 11);
            return new RewardModelTrainer(model(3), rankings, rankings, config);
        }
    }
}
