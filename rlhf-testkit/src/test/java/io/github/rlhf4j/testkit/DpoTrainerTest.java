package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.ppo.preference.DpoConfig;
import io.github.rlhf4j.ppo.preference.DpoConfig.ReferenceScoring;
import io.github.rlhf4j.ppo.preference.DpoConfig.TooLong;
import io.github.rlhf4j.ppo.preference.DpoTrainer;
import io.github.rlhf4j.ppo.preference.ImplicitRewardModel;
import io.github.rlhf4j.ppo.preference.JudgedExchange;
import io.github.rlhf4j.ppo.preference.math.ApoDownLoss;
import io.github.rlhf4j.ppo.preference.math.ApoZeroLoss;
import io.github.rlhf4j.ppo.preference.math.BcoLoss;
import io.github.rlhf4j.ppo.preference.math.ConservativeDpoLoss;
import io.github.rlhf4j.ppo.preference.math.CpoLoss;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import io.github.rlhf4j.ppo.preference.math.HingeLoss;
import io.github.rlhf4j.ppo.preference.math.ImplicitReward;
import io.github.rlhf4j.ppo.preference.math.IpoLoss;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import io.github.rlhf4j.ppo.preference.math.NcaLoss;
import io.github.rlhf4j.ppo.preference.math.OrpoLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import io.github.rlhf4j.ppo.preference.math.RobustDpoLoss;
import io.github.rlhf4j.ppo.preference.math.RpoLoss;
import io.github.rlhf4j.ppo.preference.math.SimpoLoss;
import io.github.rlhf4j.ppo.preference.math.SlicLoss;
import io.github.rlhf4j.ppo.preference.math.SppoLoss;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an update on preferences does, on a policy where everything can be seen. */
class DpoTrainerTest {

    @TempDir
    private Path directory;

    /** A reference that remembers the sequences it is asked for. */
    private static final class CountingPolicy implements Policy {

        private final Policy policy;
        private final List<ScoredSequence> asked = new ArrayList<>();

        CountingPolicy(Policy policy) {
            this.policy = policy;
        }

        @Override
        public Tokenizer tokenizer() {
            return policy.tokenizer();
        }

        @Override
        public int contextLength() {
            return policy.contextLength();
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            throw new UnsupportedOperationException("training on preferences samples nothing");
        }

        @Override
        public TokenScores score(SequenceBatch batch) {
            asked.addAll(batch.sequences());
            return policy.score(batch);
        }
    }

    private static List<StepReport> run(DpoTrainer trainer) {
        List<StepReport> reports = new ArrayList<>();
        trainer.run((t, report) -> reports.add(report));
        return reports;
    }

    private static double[][] numbers(TabularPolicy policy) {
        return Stream.of("aa", "ab", "aaa", "aab", "aba", "abb")
                .map(prefix -> policy.logProbs(DpoFixture.LETTERS.encode(prefix), 1))
                .toArray(double[][]::new);
    }

    @Test
    void beforeTheFirstUpdateNothingIsKnown() {
        StepReport first = DpoFixture.builder(
                        DpoFixture.policy(), DpoFixture.config(1).withBatchSize(8))
                .build()
                .step();
        assertThat(first.metric("dpo/loss")).isCloseTo(Math.log(2), within(1e-12));
        assertThat(first.metric("dpo/accuracy")).isEqualTo(0.5);
        assertThat(first.metric("dpo/margin")).isZero();
        assertThat(first.metric("dpo/log_prob_chosen")).isNegative();
        assertThat(first.metric("dpo/gradient_norm")).isPositive();
        assertThat(first.metric("dpo/tokens")).isEqualTo(30);
    }

    private static Stream<PreferenceLoss> losses() {
        return Stream.of(
                new DpoLoss(0.5),
                new DpoLoss(ImplicitReward.meanLogRatio(0.5)),
                new ConservativeDpoLoss(0.5, 0.1),
                new RobustDpoLoss(0.5, 0.1),
                new IpoLoss(0.5),
                new HingeLoss(0.5),
                new SlicLoss(1, 0.1),
                new ApoZeroLoss(0.5),
                new ApoDownLoss(0.5),
                new NcaLoss(0.5),
                new SppoLoss(0.5),
                new OrpoLoss(0.5),
                new SimpoLoss(2, 0.5),
                new CpoLoss(0.5, 1),
                new RpoLoss(new DpoLoss(0.5), 1),
                new KtoLoss(0.5));
    }

    @ParameterizedTest
    @MethodSource("losses")
    void everyLossPullsChosenAndRejectedApart(PreferenceLoss loss) {
        List<StepReport> reports = run(
                DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(20).withLoss(loss))
                        .build());
        double before =
                reports.get(0).metric("dpo/log_prob_chosen") - reports.get(0).metric("dpo/log_prob_rejected");
        StepReport last = reports.get(reports.size() - 1);
        double after = last.metric("dpo/log_prob_chosen") - last.metric("dpo/log_prob_rejected");
        assertThat(after).isGreaterThan(before + 0.4);
        assertThat(last.metrics().containsKey("dpo/accuracy")).isEqualTo(!(loss instanceof KtoLoss));
    }

    /** Of single pairs a step's two rewards are reported, and its loss is theirs, counted from the mean of those before. */
    @Test
    void bcoCountsFromTheMeanRewardOfTheRunSoFar() {
        BcoLoss loss = new BcoLoss(2);
        DpoConfig config = DpoFixture.config(2).withBatchSize(1).withLoss(loss);
        double sum = 0;
        int count = 0;
        for (StepReport report :
                run(DpoFixture.builder(DpoFixture.policy(), config).build())) {
            double chosen = report.metric("dpo/reward_chosen");
            double rejected = report.metric("dpo/reward_rejected");
            double shift = count == 0 ? 0 : sum / count;
            assertThat(report.metric("dpo/loss"))
                    .isCloseTo(
                            new BcoLoss(loss.reward(), shift)
                                    .ofRewards(chosen, rejected)
                                    .loss(),
                            within(1e-12));
            sum += chosen + rejected;
            count += 2;
        }
        assertThat(count).isEqualTo(32);
        assertThat(Math.abs(sum / count)).as("a shift that matters").isGreaterThan(0.01);
    }

    @Test
    void theReferenceScoresInAdvanceOrEachStepAndStaysAsItIs() {
        TabularPolicy inAdvance = DpoFixture.policy();
        List<StepReport> expected =
                run(DpoFixture.builder(inAdvance, DpoFixture.config(3)).build());

        TabularPolicy eachStep = DpoFixture.policy();
        TabularPolicy frozen = DpoFixture.policy();
        CountingPolicy asked = new CountingPolicy(frozen);
        List<StepReport> reports =
                run(DpoFixture.builder(eachStep, DpoFixture.config(3).withReferenceScoring(ReferenceScoring.EACH_STEP))
                        .reference(asked)
                        .build());
        assertThat(reports).isEqualTo(expected);
        assertThat(numbers(eachStep)).isEqualTo(numbers(inAdvance)).isNotEqualTo(numbers(frozen));
        assertThat(numbers(frozen)).isEqualTo(numbers(DpoFixture.policy()));
        assertThat(asked.asked).hasSize(3 * 16);

        CountingPolicy once = new CountingPolicy(frozen);
        assertThat(run(DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(3))
                        .reference(once)
                        .build()))
                .isEqualTo(expected);
        assertThat(once.asked).hasSize(16);
    }

    @Test
    void aLossWithoutReferenceNeverAsksIt() {
        CountingPolicy reference = new CountingPolicy(DpoFixture.policy());
        run(DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2).withLoss(new SimpoLoss(2, 0.5)))
                .reference(reference)
                .build());
        assertThat(reference.asked).isEmpty();
    }

    @Test
    void microBatchesChangeNothing() {
        for (PreferenceLoss loss : List.of(new DpoLoss(0.5), new KtoLoss(0.5))) {
            TabularPolicy whole = DpoFixture.policy();
            TabularPolicy split = DpoFixture.policy();
            run(DpoFixture.builder(whole, DpoFixture.config(5).withLoss(loss)).build());
            run(DpoFixture.builder(split, DpoFixture.config(5).withLoss(loss).withMicroBatchTokens(1))
                    .build());
            double[][] expected = numbers(whole);
            double[][] actual = numbers(split);
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).containsExactly(expected[i], within(1e-9));
            }
        }
    }

    @Test
    void aRankingIsItsStrictComparisons() {
        Ranking four = new Ranking(Conversation.of("aa"), List.of("a", "b", "ab", "bb"), List.of(0, 1, 1, 2));
        DpoTrainer trainer = DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2))
                .preferences(PreferenceDataset.of(List.of(four)))
                .build();
        assertThat(trainer.intake()).isEqualTo(new DpoTrainer.Intake(5, 0, 0));
        assertThat(trainer.totalSteps()).isEqualTo(3); // ten pairs, four at a time
        List<StepReport> reports = run(trainer);
        assertThat(reports).hasSize(3);
        assertThatThrownBy(trainer::step).hasMessageContaining("finished after 3 steps");
    }

    @Test
    void heldOutPreferencesAreEvaluatedWhenDue() {
        List<StepReport> reports = run(
                DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(10).withEvaluateEvery(7))
                        .heldOut(DpoFixture.pairs())
                        .build());
        List<Long> evaluated = reports.stream()
                .filter(report -> report.metrics().containsKey("dpo/validation_loss"))
                .map(StepReport::step)
                .toList();
        assertThat(evaluated).containsExactly(7L, 14L, 20L);
        StepReport last = reports.get(19);
        assertThat(last.metric("dpo/validation_accuracy")).isEqualTo(1);
        assertThat(last.metric("dpo/validation_loss")).isLessThan(Math.log(2) - 0.05);
        assertThat(last.metric("dpo/validation_margin")).isPositive();
    }

    // KTO

    private static List<JudgedExchange> judgements() {
        return List.of(
                new JudgedExchange(Exchange.of("aa", "a"), true),
                new JudgedExchange(Exchange.of("aa", "bb"), false),
                new JudgedExchange(Exchange.of("ab", "b"), false));
    }

    @Test
    void responsesJudgedOneAtATimeBecomeMoreAndLessLikely() {
        TabularPolicy policy = DpoFixture.policy();
        TabularPolicy before = policy.copy();
        DpoConfig config = DpoFixture.config(30).withBatchSize(3).withLoss(new KtoLoss(0.5));
        List<StepReport> reports = run(DpoTrainer.builder()
                .config(config)
                .policy(policy)
                .format(DpoFixture.FORMAT)
                .judgements(judgements())
                .build());
        double[] gains = ImplicitRewardModel.of(policy, before, DpoFixture.FORMAT, ImplicitReward.logRatio(1))
                .score(judgements().stream().map(JudgedExchange::exchange).toList());
        assertThat(gains[0]).isPositive();
        assertThat(gains[1]).isNegative();
        assertThat(gains[2]).isNegative();
        assertThat(reports.get(0).metric("dpo/loss")).isCloseTo(0.5, within(1e-12));
        assertThat(reports).allSatisfy(r -> assertThat(r.metric("dpo/kl")).isNotNegative());
        assertThat(reports.get(29).metric("dpo/loss")).isLessThan(0.45);
    }

    /** What gains are counted from is the KL on responses to other prompts, each the next such one in the data. */
    @Test
    void aJudgedResponseIsComparedWithOneToAnotherPrompt() {
        CountingPolicy reference = new CountingPolicy(DpoFixture.policy());
        DpoTrainer.builder()
                .config(DpoFixture.config(1).withLoss(new KtoLoss(0.5)))
                .policy(DpoFixture.policy())
                .reference(reference)
                .format(DpoFixture.FORMAT)
                .judgements(judgements())
                .build()
                .step();
        assertThat(reference.asked)
                .containsExactly(
                        sequence("aa", "a"),
                        sequence("aa", "b"),
                        sequence("aa", "bb"),
                        sequence("aa", "b"),
                        sequence("ab", "b"),
                        sequence("ab", "a"));
    }

    private static ScoredSequence sequence(String prompt, String response) {
        return DpoFixture.FORMAT.exchange(Exchange.of(prompt, response));
    }

    @Test
    void ktoNeedsTwoPromptsAndOnlyItTakesJudgements() {
        DpoConfig kto = DpoFixture.config(1).withLoss(new KtoLoss(0.5));
        assertThatThrownBy(() -> DpoTrainer.builder()
                        .config(kto)
                        .policy(DpoFixture.policy())
                        .format(DpoFixture.FORMAT)
                        .judgements(judgements().subList(0, 2))
                        .build())
                .hasMessageContaining("all 2 responses")
                .hasMessageContaining("at least two");
        assertThatThrownBy(() -> DpoTrainer.builder()
                        .config(DpoFixture.config(1))
                        .policy(DpoFixture.policy())
                        .format(DpoFixture.FORMAT)
                        .judgements(judgements())
                        .build())
                .hasMessageContaining("only KTO learns from them");
    }

    // Data that does not fit

    @Test
    void aResponseThatIsTooLongIsRefusedDroppedOrCut() {
        PreferenceDataset data = PreferenceDataset.of(List.of(
                Ranking.ofPair(Conversation.of("aa"), "a", "bb"),
                Ranking.ofPair(Conversation.of("aa"), "abab", "b"),
                Ranking.ofPair(Conversation.of("aabb"), "a", "b")));
        DpoConfig config = DpoFixture.config(1);
        assertThatThrownBy(() -> DpoFixture.builder(DpoFixture.policy(), config)
                        .preferences(data)
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("response 0 of ranking 1 of the training data has 6 tokens")
                .hasMessageContaining("holds 4")
                .hasMessageContaining("TRUNCATE_END");
        assertThat(DpoFixture.builder(DpoFixture.policy(), config.withTooLong(TooLong.DROP))
                        .preferences(data)
                        .build()
                        .intake())
                .isEqualTo(new DpoTrainer.Intake(1, 0, 2));
        assertThat(DpoFixture.builder(DpoFixture.policy(), config.withTooLong(TooLong.TRUNCATE_END))
                        .preferences(data)
                        .build()
                        .intake())
                .isEqualTo(new DpoTrainer.Intake(2, 1, 1));
    }

    @Test
    void badDataAndMissingPartsAreNamed() {
        Ranking tie = new Ranking(Conversation.of("aa"), List.of("a", "b"), List.of(1, 1));
        assertThatThrownBy(() -> DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(1))
                        .preferences(PreferenceDataset.of(List.of(tie)))
                        .build())
                .hasMessageContaining("ranking 0 of the training data has no winner")
                .hasMessageContaining("\"aa\"");
        assertThatThrownBy(() -> DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(1))
                        .preferences(PreferenceDataset.of(List.of()))
                        .build())
                .hasMessageContaining("no example");
        assertThatThrownBy(() -> DpoTrainer.builder().build()).hasMessageContaining("config(…)");
        DpoConfig eachStep = DpoFixture.config(1).withReferenceScoring(ReferenceScoring.EACH_STEP);
        TabularPolicy policy = DpoFixture.policy();
        assertThatThrownBy(() -> DpoFixture.builder(policy, eachStep).build())
                .hasMessageContaining("reference(…)")
                .hasMessageContaining("PRECOMPUTED");
        assertThatThrownBy(() ->
                        DpoFixture.builder(policy, eachStep).reference(policy).build())
                .hasMessageContaining("very object that is trained");
        assertThatThrownBy(() -> DpoFixture.config(0)).hasMessageContaining("epochs");
    }

    @Test
    void aLossThatIsNotANumberStopsTheRun() {
        TabularPolicy policy = DpoFixture.policy();
        policy.setLogits(DpoFixture.LETTERS.encode("aa"), Double.NaN, 0, 0);
        assertThatThrownBy(() -> DpoFixture.builder(policy, DpoFixture.config(2).withBatchSize(8))
                        .build()
                        .step())
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("step 1")
                .hasMessageContaining("lower learning rate");
    }

    // Checkpoints

    @ParameterizedTest
    @MethodSource("resumable")
    void aResumedRunEqualsTheUninterruptedOneBitForBit(PreferenceLoss loss) throws IOException {
        DpoConfig config =
                DpoFixture.config(3).withLoss(loss).withMicroBatchTokens(20).withEvaluateEvery(2);
        TabularPolicy straight = DpoFixture.policy();
        List<StepReport> expected = run(
                DpoFixture.builder(straight, config).heldOut(DpoFixture.pairs()).build());

        DpoTrainer first = DpoFixture.builder(DpoFixture.policy(), config)
                .heldOut(DpoFixture.pairs())
                .build();
        List<StepReport> reports = new ArrayList<>(List.of(first.step(), first.step(), first.step()));
        first.save(directory.resolve("checkpoint"));

        // The new policy is not what the run began with, so only the checkpoint knows the reference's numbers.
        TabularPolicy resumed = TabularPolicy.uniform(
                DpoFixture.LETTERS, TabularContext.WHOLE_PREFIX, DpoFixture.CONTEXT, TabularOptimizer.Adam.defaults());
        DpoTrainer second =
                DpoFixture.builder(resumed, config).heldOut(DpoFixture.pairs()).build();
        second.restore(directory.resolve("checkpoint"));
        assertThat(second.stepsDone()).isEqualTo(3);
        reports.addAll(run(second));
        assertThat(reports).isEqualTo(expected);
        assertThat(numbers(resumed)).isEqualTo(numbers(straight));
    }

    private static Stream<PreferenceLoss> resumable() {
        return Stream.of(new DpoLoss(0.5), new KtoLoss(0.5), new SimpoLoss(2, 0.5));
    }

    @Test
    void aCheckpointOfAnotherRunIsRefused() throws IOException {
        Path checkpoint = directory.resolve("checkpoint");
        DpoTrainer trainer =
                DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2)).build();
        trainer.step();
        trainer.save(checkpoint);
        DpoTrainer otherLoss = DpoFixture.builder(
                        DpoFixture.policy(), DpoFixture.config(2).withLoss(new HingeLoss(0.1)))
                .build();
        assertThatThrownBy(() -> otherLoss.restore(checkpoint))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("HingeLoss");
        DpoTrainer otherData = DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2))
                .preferences(DpoFixture.bradleyTerry())
                .build();
        assertThatThrownBy(() -> otherData.restore(checkpoint)).hasMessageContaining("dataSha256 was ");
        Path numbers = checkpoint.resolve("reference.bin");
        byte[] bytes = Files.readAllBytes(numbers);
        bytes[3] ^= 1;
        Files.write(numbers, bytes);
        DpoTrainer same =
                DpoFixture.builder(DpoFixture.policy(), DpoFixture.config(2)).build();
        assertThatThrownBy(() -> same.restore(checkpoint)).hasMessageContaining("reference.bin");
        assertThat(same.stepsDone()).isZero();
    }

    // The implicit reward

    @Test
    void rewardsOfTokensSumToTheScore() {
        TabularPolicy policy = DpoFixture.policy();
        TabularPolicy reference = policy.copy();
        run(DpoFixture.builder(policy, DpoFixture.config(3)).build());
        List<Exchange> exchanges = List.of(Exchange.of("aa", "a"), Exchange.of("ab", "bb"));
        List<TokenSequence> responses = exchanges.stream()
                .map(exchange -> DpoFixture.FORMAT.response(exchange.response()))
                .toList();
        for (ImplicitReward reward : List.of(ImplicitReward.logRatio(0.1), ImplicitReward.meanLogRatio(0.1))) {
            ImplicitRewardModel model = ImplicitRewardModel.of(policy, reference, DpoFixture.FORMAT, reward);
            double[] scores = model.score(exchanges);
            double[][] tokens = model.scoreTokens(exchanges, responses);
            for (int i = 0; i < scores.length; i++) {
                assertThat(tokens[i]).hasSize(2);
                assertThat(tokens[i][0] + tokens[i][1]).isCloseTo(scores[i], within(1e-12));
            }
            assertThat(scores[0]).isPositive();
        }
        assertThat(ImplicitRewardModel.withoutReference(policy, DpoFixture.FORMAT, ImplicitReward.logProb(1))
                        .score(exchanges)[0])
                .isNegative();
        assertThatThrownBy(() ->
                        ImplicitRewardModel.withoutReference(policy, DpoFixture.FORMAT, ImplicitReward.logRatio(1)))
                .hasMessageContaining("ImplicitRewardModel.of");
    }
}
