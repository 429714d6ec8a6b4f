package io.github.rlhf4j.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.ChatFormat;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Message;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RoleChatFormat;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.reward.evaluation.RewardAccuracy;
import io.github.rlhf4j.reward.labeling.LabelNoise;
import io.github.rlhf4j.reward.labeling.SimulatedLabeler;
import io.github.rlhf4j.reward.math.RankingLoss;
import io.github.rlhf4j.reward.training.RewardModelConfig;
import io.github.rlhf4j.reward.training.RewardModelTrainer;
import io.github.rlhf4j.transformer.TransformerPolicy;
import io.github.rlhf4j.transformer.TransformerValueFunction;
import io.github.rlhf4j.transformer.model.LoraConfig;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import io.github.rlhf4j.transformer.optimizer.AdamWConfig;
import io.github.rlhf4j.transformer.tokenizer.CharacterTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reward model of two layers, end to end. */
class TransformerRewardModelTest {

    private static final int CONTEXT = 24;
    private static final CharacterTokenizer TOKENIZER = CharacterTokenizer.fromTexts(
            List.of("abcdefgh?!"), RoleChatFormat.specialTokens().toArray(String[]::new));
    private static final ChatFormat FORMAT = new RoleChatFormat(TOKENIZER);
    private static final AdamWConfig OPTIMIZER = AdamWConfig.gpt3();

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable resource : open) {
            resource.close();
        }
    }

    private TransformerRewardModel model(long seed) {
        TransformerConfig config = TransformerConfig.gpt2(TOKENIZER.vocabularySize(), CONTEXT, 32, 2, 2);
        try (TransformerPolicy trunk = TransformerPolicy.create(config, TOKENIZER, OPTIMIZER, seed)) {
            return owned(TransformerRewardModel.of(trunk, FORMAT, OPTIMIZER, seed));
        }
    }

    private <T extends AutoCloseable> T owned(T resource) {
        open.add(resource);
        return resource;
    }

    private static List<Exchange> exchanges(int count, long seed) {
        RandomKey key = RandomKey.of(seed);
        return IntStream.range(0, count)
                .mapToObj(i -> Exchange.of("?", word(key.child(i))))
                .toList();
    }

    private static String word(RandomKey key) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < 1 + key.child("length").below(8); i++) {
            word.append((char) ('a' + key.child(i).below(8)));
        }
        return word.toString();
    }

    /** TRL, DeepSpeed-Chat and others have read scores at padding or one token early; here the stop token is read. */
    @Test
    void theScoreIsReadAtTheStopToken() {
        TransformerRewardModel model = model(1);
        Exchange exchange = Exchange.of("abc?", "fgh");
        TokenSequence tokens = FORMAT.exchange(exchange).tokens();
        int last = tokens.length() - 1;
        assertThat(FORMAT.stopTokens()).contains(tokens.get(last));
        double[] atEnds = model.network().score(List.of(tokens), List.of(new int[] {last - 1, last}))[0];
        assertThat(model.score(List.of(exchange))).containsExactly(atEnds[1]);
        assertThat(atEnds[0]).isNotCloseTo(atEnds[1], within(1e-4));
        assertThat(model.tokenCount(exchange)).isEqualTo(tokens.length());
    }

    @Test
    void batchMatesAndTheirOrderDoNotChangeAScore() {
        TransformerRewardModel model = model(1);
        List<Exchange> batch = exchanges(12, 3);
        double[] together = model.score(batch);
        List<Exchange> reversed = new ArrayList<>(batch);
        Collections.reverse(reversed);
        double[] backwards = model.score(reversed);
        for (int i = 0; i < batch.size(); i++) {
            assertThat(model.score(List.of(batch.get(i)))[0]).isCloseTo(together[i], within(1e-5));
            assertThat(backwards[batch.size() - 1 - i]).isCloseTo(together[i], within(1e-5));
        }
        try (RewardPass pass = model.forward(batch)) {
            assertThat(pass.scores()).containsExactly(together, within(1e-5));
        }
        assertThat(model.score(List.of())).isEmpty();
    }

    @Test
    void aLongConversationLosesItsOldestTurns() {
        TransformerRewardModel model = model(1);
        Conversation recent =
                Conversation.of("abc?").with(Message.assistant("dd")).with(Message.user("ef?"));
        List<Message> all = new ArrayList<>(List.of(Message.user("aaaaaaaa"), Message.assistant("bbbbbbbbbb")));
        all.addAll(recent.messages());
        double[] scores = model.score(List.of(new Exchange(new Conversation(all), "gh"), new Exchange(recent, "gh")));
        assertThat(scores[0]).isCloseTo(scores[1], within(1e-5));
    }

    @Test
    void whatCannotFitIsRefusedWithBothTexts() {
        TransformerRewardModel model = model(1);
        assertThatThrownBy(() -> model.score(List.of(Exchange.of("a?", "b".repeat(CONTEXT)))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a response of 25 tokens")
                .hasMessageContaining("window of 24")
                .hasMessageContaining("Prompt \"a?\"");
        assertThatThrownBy(() -> model.tokenCount(Exchange.of("a".repeat(20), "bcdefg")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("window of 24 tokens")
                .hasMessageContaining("response \"bcdefg\"");
        PreferenceDataset dataset =
                PreferenceDataset.of(List.of(Ranking.ofPair(Conversation.of("?"), "a", "b".repeat(30))));
        assertThatThrownBy(() -> new RewardModelTrainer(model, dataset, RewardModelConfig.instructGpt(1, 1)))
                .hasMessageContaining("response 1 of ranking 0 of the training dataset: a response of 31 tokens");
    }

    @Test
    void referencesScoreMeanZeroAfterNormalization() {
        TransformerRewardModel model = model(1);
        List<Exchange> references = exchanges(30, 4);
        model.centerOn(references);
        assertThat(mean(model.score(references))).isCloseTo(0, within(1e-9));
        assertThat(model.normalization().gain()).isEqualTo(1);
        model.standardizeOn(references);
        double[] scores = model.score(references);
        assertThat(mean(scores)).isCloseTo(0, within(1e-9));
        assertThat(mean(Arrays.stream(scores).map(s -> s * s).toArray())).isCloseTo(1, within(1e-9));
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    /** dLoss/dscore goes through the gain: the same preference pulls twice as hard on a score in half the unit. */
    @Test
    void theGainScalesTheGradient() {
        TransformerRewardModel model = model(1);
        List<Exchange> batch = exchanges(3, 5);
        double plain = gradientNorm(model, batch);
        model.setNormalization(new ScoreNormalization(2, 7));
        assertThat(gradientNorm(model, batch)).isCloseTo(2 * plain, within(1e-3 * plain));
    }

    private static double gradientNorm(TransformerRewardModel model, List<Exchange> batch) {
        try (RewardPass pass = model.forward(batch)) {
            pass.backward(new double[] {1, -0.5, 0.25});
        }
        return model.update(0).gradientNorm();
    }

    /** InstructGPT §3.5: the value function is initialised from the reward model. */
    @Test
    void theValueFunctionStartsAtTheScore() {
        TransformerRewardModel model = model(1);
        List<Exchange> references = exchanges(20, 4);
        model.standardizeOn(references);
        TransformerValueFunction values = owned(model.toValueFunction());
        double[] scores = model.score(references);
        for (int i = 0; i < references.size(); i++) {
            assertThat(valueAfterLastToken(values, references.get(i))).isCloseTo(scores[i], within(2e-4));
        }
        double before = scores[0];
        SequenceBatch batch = new SequenceBatch(List.of(FORMAT.exchange(references.get(0))));
        try (var pass = values.forward(batch)) {
            double[] ones = new double[pass.values()[0].length];
            Arrays.fill(ones, 1);
            pass.backward(new double[][] {ones});
        }
        values.update(0.1);
        assertThat(valueAfterLastToken(values, references.get(0))).isNotCloseTo(before, within(1e-2));
        assertThat(model.score(references)[0])
                .as("the reward model is not trained along")
                .isEqualTo(before);
    }

    /** RMSNorm has no bias that could hold the normalisation's, and adapters leave the final norm alone. */
    @Test
    void modelsWithoutAPlaceForTheBiasKeepItBesideTheWeights(@TempDir Path directory) throws IOException {
        TransformerConfig llama = TransformerConfig.llama(TOKENIZER.vocabularySize(), CONTEXT, 8, 2, 2);
        List<Exchange> references = exchanges(20, 4);
        try (TransformerPolicy trunk = TransformerPolicy.create(llama, TOKENIZER, OPTIMIZER, 1);
                TransformerRewardModel model = TransformerRewardModel.of(trunk, FORMAT, OPTIMIZER, 2)) {
            model.centerOn(references);
            double[] scores = model.score(references);
            assertThat(Math.abs(model.normalization().bias())).isGreaterThan(1e-3);
            model.save(directory, TOKENIZER);

            try (TransformerRewardModel read = TransformerRewardModel.load(directory, FORMAT, OPTIMIZER);
                    TransformerValueFunction values = model.toValueFunction();
                    TransformerValueFunction adapted = model.toLoraValueFunction(LoraConfig.defaults(), OPTIMIZER, 3)) {
                assertThat(read.score(references)).containsExactly(scores, within(1e-6));
                for (int i = 0; i < references.size(); i++) {
                    assertThat(valueAfterLastToken(values, references.get(i))).isCloseTo(scores[i], within(1e-5));
                    assertThat(valueAfterLastToken(adapted, references.get(i))).isCloseTo(scores[i], within(1e-5));
                }
            }
        }
    }

    /** V of a token is read before it, so a token is put after the last. */
    private static double valueAfterLastToken(TransformerValueFunction values, Exchange exchange) {
        TokenSequence tokens = FORMAT.exchange(exchange).tokens();
        ScoredSequence sequence =
                ScoredSequence.of(tokens.concat(TokenSequence.of(tokens.get(0))), new int[] {tokens.length()});
        return values.values(new SequenceBatch(List.of(sequence)))[0][0];
    }

    @Test
    void savedAndRestoredItIsTheSameToTheBit(@TempDir Path directory) throws IOException {
        TransformerRewardModel saved = model(1);
        saved.standardizeOn(exchanges(20, 4));
        saved.saveState(directory);
        TransformerRewardModel restored = model(2);
        assertThat(restored.score(exchanges(5, 6))).isNotEqualTo(saved.score(exchanges(5, 6)));
        restored.restoreState(directory);
        assertThat(restored.score(exchanges(5, 6))).isEqualTo(saved.score(exchanges(5, 6)));
        assertThat(owned(saved.copy()).score(exchanges(5, 6))).isEqualTo(saved.score(exchanges(5, 6)));
        Files.writeString(directory.resolve("normalization.json"), "{\"gain\": 0, \"bias\": 1}");
        assertThatThrownBy(() -> restored.restoreState(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("normalization.json")
                .hasMessageContaining("positive finite gain");
    }

    /** The labeler likes a and dislikes h; comparisons it has not answered yet are foretold. */
    @Test
    void learnsATasteFromRankings() {
        PreferenceDataset seen = comparisons(208, 1);
        PreferenceDataset unseen = comparisons(100, 2);
        TransformerRewardModel model = model(1);
        StepReport last =
                new RewardModelTrainer(model, seen, unseen, config()).run().last();
        assertThat(last).isNotNull();
        assertThat(last.metric("reward/validation_accuracy")).isGreaterThan(0.9);
        assertThat(RewardAccuracy.of(model, unseen).margin()).isPositive();
    }

    private static RewardModelConfig config() {
        return new RewardModelConfig(
                2, 16, new LearningRateSchedule.WarmupLinear(5e-3, 2, 26), RankingLoss.instructGpt(), 4096, 100, 1);
    }

    /** Three responses each; more a's and fewer h's are better, ties reported. */
    private static PreferenceDataset comparisons(int count, long seed) {
        SimulatedLabeler labeler = new SimulatedLabeler(
                RewardModels.of(e -> e.response()
                        .chars()
                        .map(c -> c == 'a' ? 1 : c == 'h' ? -1 : 0)
                        .sum()),
                new LabelNoise.None(),
                SimulatedLabeler.Ties.REPORTED,
                seed);
        RandomKey key = RandomKey.of(seed).child("words");
        List<Ranking> rankings = new ArrayList<>();
        for (int i = 0; rankings.size() < count; i++) {
            RandomKey question = key.child(i);
            Ranking ranking = labeler.rank(
                    Conversation.of("?"),
                    IntStream.range(0, 3).mapToObj(w -> word(question.child(w))).toList());
            if (ranking.pairCount() > 0) {
                rankings.add(ranking);
            }
        }
        return PreferenceDataset.of(rankings);
    }

    @Test
    void aResumedRunIsTheUninterruptedOneToTheBit(@TempDir Path directory) throws IOException {
        PreferenceDataset dataset = comparisons(48, 1);
        TransformerRewardModel uninterrupted = model(1);
        new RewardModelTrainer(uninterrupted, dataset, config()).run();

        RewardModelTrainer killed = new RewardModelTrainer(model(1), dataset, config());
        killed.step();
        killed.step();
        killed.save(directory.resolve("checkpoint"));
        TransformerRewardModel resumed = model(9);
        RewardModelTrainer second = new RewardModelTrainer(resumed, dataset, config());
        second.restore(directory.resolve("checkpoint"));
        second.run();
        assertThat(resumed.score(exchanges(10, 7))).isEqualTo(uninterrupted.score(exchanges(10, 7)));
    }
}
