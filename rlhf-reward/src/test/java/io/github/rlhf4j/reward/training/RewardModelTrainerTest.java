package io.github.rlhf4j.reward.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.math.Logistic;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.reward.evaluation.RewardAccuracy;
import io.github.rlhf4j.reward.math.AllPairsLoss;
import io.github.rlhf4j.reward.math.RankingLoss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The trainer against a linear model, whose every number can be worked out. */
class RewardModelTrainerTest {

    private static final Conversation PROMPT = Conversation.of("p");

    private static final RewardModelConfig CONFIG =
            new RewardModelConfig(3, 4, new LearningRateSchedule.Constant(0.3), RankingLoss.instructGpt(), 1000, 2, 11);

    /** Rankings of 2 to 4 random words of three letters; more a's are better. */
    private static PreferenceDataset rankings(int count, long seed) {
        RandomKey key = RandomKey.of(seed);
        List<Ranking> rankings = new ArrayList<>();
        for (int i = 0; rankings.size() < count; i++) {
            RandomKey question = key.child(i);
            List<String> words = IntStream.range(0, 2 + question.below(3))
                    .mapToObj(w -> word(question.child(w)))
                    .toList();
            List<Integer> ranks = words.stream()
                    .map(word -> 3 - (int) word.chars().filter(c -> c == 'a').count())
                    .toList();
            if (new HashSet<>(ranks).size() > 1) {
                rankings.add(new Ranking(PROMPT, words, ranks));
            }
        }
        return PreferenceDataset.of(rankings);
    }

    private static String word(RandomKey key) {
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < 3; i++) {
            word.append((char) ('a' + key.child(i).below(4)));
        }
        return word.toString();
    }

    @Test
    void learnsWhatTheLabelerPrefers() {
        LinearRewardModel model = new LinearRewardModel(10);
        PreferenceDataset unseen = rankings(50, 2);
        RewardModelTrainer trainer = new RewardModelTrainer(model, rankings(100, 1), unseen, CONFIG.withEpochs(10));
        StepReport first = trainer.step();
        assertThat(first.metric("reward/loss")).isCloseTo(Math.log(2), within(1e-12));
        assertThat(first.metric("reward/accuracy")).isEqualTo(0.5);
        assertThat(first.metric("reward/gradient_norm")).isPositive();
        StepReport last = trainer.run().last();
        assertThat(last).isNotNull();
        assertThat(last.metric("reward/validation_accuracy")).isGreaterThan(0.99);
        assertThat(last.metric("reward/validation_loss")).isLessThan(0.2);
        assertThat(last.metric("reward/margin")).isPositive();
    }

    /** Ranks from a known utility with Bradley–Terry noise: the maximum-likelihood weights are the utilities, shifted. */
    @Test
    void recoversUtilitiesFromNoisyComparisons() {
        double[] utility = {-1.5, -0.5, 0, 0.8, 1.4};
        RandomKey key = RandomKey.of(5);
        List<Ranking> rankings = new ArrayList<>();
        double bayes = 0;
        for (int n = 0; n < 20_000; n++) {
            int i = key.child(n).child("i").below(5);
            int j = (i + 1 + key.child(n).child("j").below(4)) % 5;
            boolean iWins = key.child(n).child("answer").uniform() < Logistic.sigmoid(utility[i] - utility[j]);
            rankings.add(Ranking.ofPair(PROMPT, letter(iWins ? i : j), letter(iWins ? j : i)));
            bayes += Logistic.sigmoid(Math.abs(utility[i] - utility[j])) / 20_000;
        }
        LinearRewardModel model = new LinearRewardModel(10);
        PreferenceDataset dataset = PreferenceDataset.of(rankings);
        new RewardModelTrainer(
                        model,
                        dataset,
                        CONFIG.withRankingsPerBatch(500).withSchedule(new LearningRateSchedule.WarmupLinear(2, 0, 120)))
                .run();
        double shift = model.weights[2] - utility[2];
        for (int i = 0; i < 5; i++) {
            assertThat(model.weights[i] - shift).as("utility of %s", letter(i)).isCloseTo(utility[i], within(0.1));
        }
        assertThat(RewardAccuracy.of(model, dataset).accuracy()).isCloseTo(bayes, within(0.01));
    }

    private static String letter(int i) {
        return String.valueOf((char) ('a' + i));
    }

    /** A uniform answer in ten shrinks the learned utilities, unless the loss knows of it. */
    @Test
    void knownLabelNoiseIsNotTakenForIndifference() {
        double truth = 2.5;
        double wins = 0.9 * Logistic.sigmoid(truth) + 0.05;
        int won = (int) Math.round(1000 * wins);
        PreferenceDataset dataset = PreferenceDataset.of(IntStream.range(0, 1000)
                .mapToObj(n -> n < won ? Ranking.ofPair(PROMPT, "a", "b") : Ranking.ofPair(PROMPT, "b", "a"))
                .toList());
        RewardModelConfig config =
                CONFIG.withRankingsPerBatch(1000).withEpochs(60).withSchedule(new LearningRateSchedule.Constant(5));
        assertThat(learnedLead(dataset, config.withLoss(AllPairsLoss.DEFAULT.withLabelNoise(0.1))))
                .isCloseTo(truth, within(0.03));
        assertThat(learnedLead(dataset, config))
                .isCloseTo(Math.log(wins / (1 - wins)), within(0.03))
                .isLessThan(2.1);
    }

    private static double learnedLead(PreferenceDataset dataset, RewardModelConfig config) {
        LinearRewardModel model = new LinearRewardModel(10);
        new RewardModelTrainer(model, dataset, config).run();
        return model.weights[0] - model.weights[1];
    }

    @Test
    void microBatchesChangeNothing() {
        LinearRewardModel whole = new LinearRewardModel(10);
        LinearRewardModel split = new LinearRewardModel(10);
        new RewardModelTrainer(whole, rankings(23, 1), CONFIG).run();
        new RewardModelTrainer(split, rankings(23, 1), CONFIG.withMicroBatchTokens(1)).run();
        assertThat(split.forwardSizes).hasSizeGreaterThan(whole.forwardSizes.size());
        for (int i = 0; i < whole.weights.length; i++) {
            assertThat(split.weights[i]).isCloseTo(whole.weights[i], within(1e-12));
        }
    }

    /** InstructGPT §3.5: shuffling single comparisons made the reward model overfit; here K responses go in together. */
    @Test
    void eachResponseIsReadOncePerEpochWithItsRanking() {
        LinearRewardModel model = new LinearRewardModel(10);
        PreferenceDataset dataset = rankings(23, 1);
        new RewardModelTrainer(model, dataset, CONFIG.withMicroBatchTokens(1).withEpochs(1)).run();
        List<Integer> sizes = new ArrayList<>();
        dataset.forEach(ranking -> sizes.add(ranking.size()));
        assertThat(model.forwardSizes).containsExactlyInAnyOrderElementsOf(sizes);
    }

    @Test
    void everyEpochIsAnotherPermutationInEvenBatches() {
        RankingOrder order = new RankingOrder(10, 4, 3);
        List<Integer> firstEpoch = new ArrayList<>();
        List<Integer> secondEpoch = new ArrayList<>();
        Set<Integer> sizes = new HashSet<>();
        for (int step = 0; step < 6; step++) {
            int[] batch = order.batch(step);
            sizes.add(batch.length);
            Arrays.stream(batch).forEach(step < 3 ? firstEpoch::add : secondEpoch::add);
        }
        Integer[] all = IntStream.range(0, 10).boxed().toArray(Integer[]::new);
        assertThat(firstEpoch).containsExactlyInAnyOrder(all).isNotEqualTo(secondEpoch);
        assertThat(secondEpoch).containsExactlyInAnyOrder(all);
        assertThat(sizes).containsExactlyInAnyOrder(3, 4);
        assertThat(new RankingOrder(10, 4, 3).batch(4)).isEqualTo(order.batch(4));
    }

    @Test
    void resumedIsUninterruptedToTheBit(@TempDir Path directory) throws IOException {
        LinearRewardModel uninterrupted = new LinearRewardModel(10);
        new RewardModelTrainer(uninterrupted, rankings(23, 1), CONFIG).run();

        LinearRewardModel killed = new LinearRewardModel(10);
        RewardModelTrainer first = new RewardModelTrainer(killed, rankings(23, 1), CONFIG);
        for (int i = 0; i < 7; i++) {
            first.step();
        }
        first.save(directory.resolve("checkpoint"));

        LinearRewardModel resumed = new LinearRewardModel(10);
        RewardModelTrainer second = new RewardModelTrainer(resumed, rankings(23, 1), CONFIG);
        second.restore(directory.resolve("checkpoint"));
        assertThat(second.stepsDone()).isEqualTo(7);
        second.run();
        assertThat(resumed.weights).containsExactly(uninterrupted.weights);
    }

    @Test
    void aCheckpointOfAnotherRunIsRefused(@TempDir Path directory) throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        new RewardModelTrainer(new LinearRewardModel(10), rankings(23, 1), CONFIG).save(checkpoint);
        RewardModelTrainer otherLoss = new RewardModelTrainer(
                new LinearRewardModel(10), rankings(23, 1), CONFIG.withLoss(AllPairsLoss.DEFAULT.withMargin(1)));
        assertThatThrownBy(() -> otherLoss.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("margin");
        RewardModelTrainer otherData = new RewardModelTrainer(new LinearRewardModel(10), rankings(24, 1), CONFIG);
        assertThatThrownBy(() -> otherData.restore(checkpoint))
                .hasMessageContaining("was made on 23 rankings, this run has 24");
        RewardModelTrainer asMany = new RewardModelTrainer(new LinearRewardModel(10), rankings(23, 2), CONFIG);
        assertThatThrownBy(() -> asMany.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("rankingsSha256 was ");
        Path weights = checkpoint.resolve("model/linear.bin");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[3] ^= 1;
        Files.write(weights, bytes);
        RewardModelTrainer same = new RewardModelTrainer(new LinearRewardModel(10), rankings(23, 1), CONFIG);
        assertThatThrownBy(() -> same.restore(checkpoint)).hasMessageContaining("linear.bin");
    }

    @Test
    void validationIsDueEveryFewStepsAndAtTheEnd() {
        RewardModelTrainer trainer =
                new RewardModelTrainer(new LinearRewardModel(10), rankings(12, 1), rankings(5, 2), CONFIG);
        List<Boolean> evaluated = new ArrayList<>();
        trainer.run((t, report) -> {
            evaluated.add(report.metrics().containsKey("reward/validation_accuracy"));
            return true;
        });
        assertThat(evaluated).containsExactly(false, true, false, true, false, true, false, true, true);
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("9 steps");
    }

    @Test
    void badRankingsAreNamedBeforeTheFirstStep() {
        LinearRewardModel model = new LinearRewardModel(5);
        assertThatThrownBy(() -> new RewardModelTrainer(model, PreferenceDataset.of(List.of()), CONFIG))
                .hasMessageContaining("the training dataset has no rankings");
        Ranking good = Ranking.ofPair(PROMPT, "a", "b");
        Ranking tied = new Ranking(PROMPT, List.of("a", "b", "c"), List.of(1, 1, 1));
        assertThatThrownBy(() -> new RewardModelTrainer(model, PreferenceDataset.of(List.of(good, tied)), CONFIG))
                .hasMessageContaining("ranking 1 of the training dataset has no winner: all 3 responses tie")
                .hasMessageContaining("Prompt \"p\"");
        Ranking tooLong = Ranking.ofPair(PROMPT, "a", "bbbbbbb");
        PreferenceDataset goodData = PreferenceDataset.of(List.of(good));
        PreferenceDataset longData = PreferenceDataset.of(List.of(good, good, tooLong));
        assertThatThrownBy(() -> new RewardModelTrainer(model, goodData, longData, CONFIG))
                .hasMessageContaining("response 1 of ranking 2 of the validation dataset: 8 tokens")
                .hasMessageContaining("window of 5");
    }

    @Test
    void aScoreThatIsNotANumberStopsTheRun() {
        LinearRewardModel model = new LinearRewardModel(10);
        model.weights[1] = Double.NaN;
        PreferenceDataset dataset = PreferenceDataset.of(List.of(Ranking.ofPair(PROMPT, "a", "b")));
        assertThatThrownBy(() -> new RewardModelTrainer(model, dataset, CONFIG).step())
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("step 1")
                .hasMessageContaining("the scores of ranking 0 are [0.0, NaN]")
                .hasMessageContaining("lower learning rate");
    }

    @Test
    void budgetsCutIntoConsecutiveParts() {
        assertThat(TokenBudget.split(new int[] {3, 4, 9, 1, 1}, 7))
                .containsExactly(new TokenBudget.Part(0, 2), new TokenBudget.Part(2, 3), new TokenBudget.Part(3, 5));
        assertThat(TokenBudget.split(new int[0], 7)).isEmpty();
        assertThatThrownBy(() -> TokenBudget.split(new int[] {1}, 0)).hasMessageContaining("at least one token");
    }

    @Test
    void theDefaultsAreInstructGpts() {
        RewardModelConfig config = RewardModelConfig.instructGpt(6400, 1);
        assertThat(config.epochs()).isEqualTo(1);
        assertThat(config.totalSteps(6400)).isEqualTo(100);
        assertThat(config.schedule().at(0)).isEqualTo(9e-6);
        assertThat(config.schedule().at(100)).isEqualTo(9e-7);
        assertThat(config.totalSteps(6401)).isEqualTo(101);
        assertThatThrownBy(() -> config.withEpochs(0))
                .hasMessageContaining("epochs")
                .hasMessageContaining("got 0");
    }
}
