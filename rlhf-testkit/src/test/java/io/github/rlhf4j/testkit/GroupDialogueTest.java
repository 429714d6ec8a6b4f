package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.github.rlhf4j.core.Prompt;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.core.training.StepReport;
import io.github.rlhf4j.core.training.Trainer;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.DialogueState;
import io.github.rlhf4j.ppo.Reaction;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.RolloutTrainerBuilder;
import io.github.rlhf4j.ppo.group.GroupAlgorithm;
import io.github.rlhf4j.ppo.group.GroupConfig;
import io.github.rlhf4j.ppo.group.GroupTrainer;
import io.github.rlhf4j.ppo.group.GroupTrainerBuilder;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import io.github.rlhf4j.ppo.math.RlooAdvantages;
import io.github.rlhf4j.ppo.math.RolloutCorrection;
import io.github.rlhf4j.ppo.preference.OnlineDpoConfig;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainer;
import io.github.rlhf4j.ppo.preference.OnlineDpoTrainerBuilder;
import io.github.rlhf4j.ppo.preference.math.DpoLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dialogues of several turns without a value function: groups of them, and pairs. */
class GroupDialogueTest {

    private static final LetterTokenizer LETTERS = DialogueFixture.LETTERS;
    private static final double BETA = 0.5;

    static GroupConfig config(int iterations, GroupAlgorithm algorithm) {
        return GroupConfig.of(iterations, new BatchPlan(16, 8), 4, DialogueFixture.ONE_TOKEN, algorithm, 3)
                .withRate(new LearningRateSchedule.Constant(0.05));
    }

    static OnlineDpoConfig config(int iterations) {
        return OnlineDpoConfig.of(iterations, new BatchPlan(16, 8), DialogueFixture.ONE_TOKEN, 6)
                .withSamples(4)
                .withRate(new LearningRateSchedule.Constant(0.05));
    }

    /** A builder with every part but what pays. */
    static GroupTrainerBuilder group(TabularPolicy policy, GroupConfig config) {
        return rollouts(GroupTrainer.builder().config(config), policy);
    }

    /** Likewise. */
    static OnlineDpoTrainerBuilder pairs(TabularPolicy policy, OnlineDpoConfig config) {
        return rollouts(OnlineDpoTrainer.builder().config(config), policy);
    }

    private static <B extends RolloutTrainerBuilder<B>> B rollouts(B builder, TabularPolicy policy) {
        return builder.policy(policy).reference(policy.copy()).prompts(DialogueFixture.PROMPTS);
    }

    /** Both trainers on one environment. */
    static Stream<BiFunction<TabularPolicy, DialogueEnvironment, Trainer>> trainers() {
        GroupConfig grpo = config(5, GroupAlgorithm.grpo());
        GroupConfig leashed = grpo.withRewards(grpo.rewards().withKl(new KlController.Fixed(0.1)));
        return Stream.of(
                (policy, environment) ->
                        group(policy, leashed).environment(environment).build(),
                (policy, environment) ->
                        pairs(policy, config(5)).environment(environment).build());
    }

    // Where it leads

    static Stream<GroupAlgorithm> learners() {
        return Stream.of(
                GroupAlgorithm.grpo(),
                GroupAlgorithm.rloo(),
                GroupAlgorithm.gspo(),
                GroupAlgorithm.reinforcePlusPlus());
    }

    /** Nothing is paid before the last turn, and what is paid then depends on the first and on what the user says. */
    @ParameterizedTest
    @MethodSource("learners")
    void aFirstTurnIsLearnedFromWhatTheLastIsPaid(GroupAlgorithm algorithm) {
        TabularPolicy policy = DialogueFixture.policy();
        GroupConfig config = GroupConfig.of(60, new BatchPlan(128, 128), 8, DialogueFixture.ONE_TOKEN, algorithm, 3)
                .withRate(new LearningRateSchedule.Constant(0.1));
        group(policy, config).environment(DialogueFixture.CHANCE).build().run();
        DialogueFixture.assertLearned(policy, 0.9);
    }

    @Test
    void theBetterOfTwoDialoguesIsLearned() {
        TabularPolicy policy = DialogueFixture.policy();
        OnlineDpoConfig config = OnlineDpoConfig.of(100, new BatchPlan(128, 128), DialogueFixture.ONE_TOKEN, 6)
                .withSamples(4)
                .withRate(new LearningRateSchedule.Constant(0.1));
        pairs(policy, config).environment(DialogueFixture.CHANCE).build().run();
        DialogueFixture.assertLearned(policy, 0.9);
    }

    /** Of two turns together, as of an answer of two letters: π_ref·exp(r/β)/Z ({@link GroupConvergenceTest}). */
    @Test
    void bothTurnsLeadToTheOptimum() {
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy reference = policy.copy();
        GroupConfig config = GroupConfig.of(
                        150, new BatchPlan(256, 256), 8, DialogueFixture.ONE_TOKEN, GroupAlgorithm.rloo(), 7)
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(BETA))
                        .withMissingStop(new MissingStop.Keep()))
                .withRate(new LearningRateSchedule.WarmupLinear(0.1, 0, 150));
        group(policy, config).environment(DialogueFixture.MIRROR).build().run();
        assertOptimal(policy, reference, BETA, 0.01);
    }

    /** With Gumbel noise on the last payment preferences are Bradley and Terry's ({@link OnlineDpoTest}). */
    @Test
    void pairsOfDialoguesLeadToTheOptimum() {
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy reference = policy.copy();
        DialogueEnvironment noisy = dialogue -> {
            Reaction reaction = DialogueFixture.MIRROR.react(dialogue);
            double gumbel = -Math.log(-Math.log(1 - dialogue.key().uniform()));
            return reaction.ended() ? Reaction.end(reaction.reward() + gumbel) : reaction;
        };
        OnlineDpoConfig config = OnlineDpoConfig.of(400, new BatchPlan(256, 256), DialogueFixture.ONE_TOKEN, 6)
                .withLoss(new DpoLoss(1))
                .withRate(new LearningRateSchedule.WarmupLinear(0.05, 0, 400));
        pairs(policy, config).environment(noisy).build().run();
        assertOptimal(policy, reference, 1, 0.03);
    }

    private static void assertOptimal(TabularPolicy policy, TabularPolicy reference, double beta, double tolerance) {
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            ResponseDistribution before = DialogueFixture.mirrored(reference, prompt);
            ResponseDistribution optimal = before.optimal(DialogueFixture::mirrorReward, beta);
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.15);
            assertThat(DialogueFixture.mirrored(policy, prompt).totalVariation(optimal))
                    .isLessThan(tolerance);
        }
    }

    // What an update is

    /** Turns of one or two letters, three of them, the user's of one; a b is paid, in each turn. */
    private static final DialogueEnvironment THREE_TURNS = dialogue -> {
        double reward = count(dialogue.turnText(), 'b');
        return dialogue.turn() == 2 ? Reaction.end(reward) : Reaction.goOn(reward, PpoFixture.LETTERS.encode("a"));
    };

    private static long count(String text, char letter) {
        return text.chars().filter(c -> c == letter).count();
    }

    /** A dialogue's advantage goes to each token that the policy said in any turn, and to no other. */
    @Test
    void advantagesAreOfThePolicysTokensInAllTurns() {
        GradientSpy spy = new GradientSpy();
        List<RolloutSample> samples = new ArrayList<>();
        Sampling upToTwo = Sampling.exact(2, 1, Set.of(PpoFixture.LETTERS.end()));
        GroupConfig config = GroupConfig.of(1, new BatchPlan(8, 8), 4, upToTwo, GroupAlgorithm.rloo(), 3);
        StepReport report = group(spy, config)
                .environment(THREE_TURNS)
                .onRollout((iteration, shown) -> samples.addAll(shown))
                .build()
                .step();
        double[] scores = samples.stream().mapToDouble(RolloutSample::score).toArray();
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            double[] advantages = new RlooAdvantages().ofGroup(Arrays.copyOfRange(scores, i / 4 * 4, i / 4 * 4 + 4));
            expected.add(samples.get(i).exchange().prompt()
                    + samples.get(i).exchange().response() + " "
                    + samples.get(i).tokens() + " × " + -advantages[i % 4] / 8);
        }
        List<String> found = new ArrayList<>();
        SequenceBatch batch = spy.batches.get(0);
        for (int i = 0; i < 8; i++) {
            ScoredSequence sequence = batch.sequences().get(i);
            double[] gradient = spy.gradients.get(0)[i];
            assertThat(gradient).containsOnly(gradient[0]);
            assertThat(gradient).hasSize(sequence.tokens().length() - 2 - 2); // without the prompt and the user's
            found.add(PpoFixture.LETTERS.decode(sequence.tokens()) + " " + gradient.length + " × " + gradient[0]);
        }
        assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
        assertThat(Arrays.stream(scores).distinct()).hasSizeGreaterThan(1);
        assertThat(samples)
                .allMatch(sample -> sample.score() == count(sample.exchange().response(), 'b'));
        assertThat(report.metric("rollout/turns")).isEqualTo(3);
    }

    /**
     * A policy that looks at the last token alone does not see what the user says before it: whatever that is, the run is the
     * same, to the bits. What the user says last it sees, and it makes another run.
     */
    @ParameterizedTest
    @MethodSource("trainers")
    void whatTheUserSaysCountsAsContextOnly(BiFunction<TabularPolicy, DialogueEnvironment, Trainer> trainers) {
        List<Object> ac = whatIsLeft(trainers, "ac");
        assertThat(whatIsLeft(trainers, "bc")).isEqualTo(ac);
        assertThat(whatIsLeft(trainers, "cc")).isEqualTo(ac);
        assertThat(whatIsLeft(trainers, "ca")).isNotEqualTo(ac);
    }

    /** The metrics of each step, and the policy at the end. */
    private static List<Object> whatIsLeft(
            BiFunction<TabularPolicy, DialogueEnvironment, Trainer> trainers, String user) {
        TabularPolicy policy =
                TabularPolicy.random(LETTERS, TabularContext.LAST_TOKEN, 16, TabularOptimizer.Adam.defaults(), 1, 0.5);
        Trainer trainer = trainers.apply(policy, dialogue -> {
            double reward = dialogue.turnText().equals("b") ? 1 : 0;
            return dialogue.turn() == 2 ? Reaction.end(reward) : Reaction.goOn(reward, LETTERS.encode(user));
        });
        List<Object> left = new ArrayList<>();
        while (!trainer.finished()) {
            left.add(trainer.step().metrics());
        }
        for (int token = 0; token < LETTERS.vocabularySize(); token++) {
            left.add(Arrays.toString(policy.logProbs(TokenSequence.of(token), 1)));
        }
        assertThat(left).doesNotHaveDuplicates();
        return left;
    }

    /** Where the user speaks, the policy is as it was, to the bits. */
    @ParameterizedTest
    @MethodSource("trainers")
    void whatTheUserSaysIsNeverTrainedOn(BiFunction<TabularPolicy, DialogueEnvironment, Trainer> trainers) {
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy before = policy.copy();
        trainers.apply(policy, DialogueFixture.CHANCE).run();
        boolean moved = false;
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            for (String user : List.of("ac", "bc")) {
                for (String heard : List.of("", user.substring(0, 1))) {
                    TokenSequence prefix = DialogueFixture.after(prompt, "b", heard);
                    assertThat(policy.logProbs(prefix, 1)).isEqualTo(before.logProbs(prefix, 1));
                }
                TokenSequence turn = DialogueFixture.after(prompt, "b", user);
                moved |= !Arrays.equals(policy.logProbs(turn, 1), before.logProbs(turn, 1));
            }
        }
        assertThat(moved).isTrue();
    }

    // What a rollout is

    @Test
    void aGroupBeginsWithOnePromptAndDiffersInAllThatIsDrawn() {
        List<DialogueState> begun = new ArrayList<>();
        group(DialogueFixture.policy(), config(1, GroupAlgorithm.grpo()))
                .environment(dialogue -> {
                    begun.add(dialogue);
                    return Reaction.end(0);
                })
                .build()
                .step();
        assertThat(begun).hasSize(16);
        for (int from = 0; from < 16; from += 4) {
            List<DialogueState> group = begun.subList(from, from + 4);
            assertThat(group.stream().map(DialogueState::prompt).distinct()).hasSize(1);
        }
        assertThat(begun.stream().map(state -> state.key().bits()).distinct()).hasSize(16);
        assertThat(begun.stream().map(DialogueState::turnText).distinct()).hasSizeGreaterThan(1);
    }

    /** A dialogue that ends with its first turn is an answer: the run is that with a reward model, to the bits. */
    @ParameterizedTest
    @MethodSource("answerers")
    void dialoguesOfOneTurnAreTheRunWithARewardModel(
            RolloutTrainerBuilder<?> dialogues, RolloutTrainerBuilder<?> answers) {
        DialogueEnvironment countsB = dialogue -> Reaction.end(count(dialogue.turnText(), 'b'));
        List<Map<String, Double>> reports = new ArrayList<>();
        TabularPolicy one = PpoFixture.policy();
        TabularPolicy other = PpoFixture.policy();
        Trainer ofDialogues = built(dialogues.policy(one).environment(countsB));
        Trainer ofAnswers = built(answers.policy(other).rewardModel(PpoFixture.COUNT_B));
        while (!ofAnswers.finished()) {
            Map<String, Double> metrics = new LinkedHashMap<>(ofDialogues.step().metrics());
            assertThat(metrics.remove("rollout/turns")).isEqualTo(1);
            assertThat(metrics).isEqualTo(ofAnswers.step().metrics());
            reports.add(metrics);
        }
        assertThat(reports).doesNotHaveDuplicates();
        for (Prompt prompt : PpoFixture.PROMPTS) {
            assertThat(one.logProbs(prompt.tokens(), 1)).isEqualTo(other.logProbs(prompt.tokens(), 1));
        }
    }

    static Stream<RolloutTrainerBuilder<?>[]> answerers() {
        GroupConfig config = GroupConfig.of(4, new BatchPlan(16, 8), 4, PpoFixture.SAMPLING, GroupAlgorithm.grpo(), 3)
                .withRate(new LearningRateSchedule.Constant(0.05));
        return Stream.of(
                new RolloutTrainerBuilder<?>[] {
                    answering(GroupTrainer.builder().config(config)),
                    answering(GroupTrainer.builder().config(config))
                },
                new RolloutTrainerBuilder<?>[] {
                    answering(OnlineDpoTrainer.builder().config(OnlineDpoTest.config(4))),
                    answering(OnlineDpoTrainer.builder().config(OnlineDpoTest.config(4)))
                });
    }

    private static <B extends RolloutTrainerBuilder<B>> B answering(B builder) {
        return builder.reference(PpoFixture.policy()).prompts(PpoFixture.PROMPTS);
    }

    private static Trainer built(RolloutTrainerBuilder<?> builder) {
        return builder instanceof GroupTrainerBuilder groups
                ? groups.build()
                : ((OnlineDpoTrainerBuilder) builder).build();
    }

    /** A sampler that is certain of its first letter has the dialogues, and the policy's probability of it is their correction. */
    @Test
    void anotherSamplerTalks() {
        TabularPolicy sampler = DialogueFixture.policy();
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            sampler.setLogits(prompt.tokens(), -50, 50, -50, -50);
        }
        List<RolloutSample> samples = new ArrayList<>();
        StepReport report = group(
                        DialogueFixture.policy(),
                        config(1, GroupAlgorithm.grpo().withCorrection(new RolloutCorrection.TokenTruncated(2))))
                .sampler(sampler)
                .environment(DialogueFixture.CHANCE)
                .onRollout((iteration, shown) -> samples.addAll(shown))
                .build()
                .step();
        assertThat(samples).allMatch(sample -> sample.exchange().response().startsWith("b"));
        double expected = 0; // the mean over both turns; the second is drawn as the policy would
        for (RolloutSample sample : samples) {
            TokenSequence prompt = LETTERS.encode(sample.exchange().prompt());
            expected += (Math.exp(DialogueFixture.policy().logProbs(prompt, 1)[1]) + 1) / 2 / samples.size();
        }
        assertThat(report.metric("group/correction")).isCloseTo(expected, offset(1e-9));
    }

    @Test
    void whatCannotBeIsRefused() {
        GroupConfig drGrpo = config(1, GroupAlgorithm.drGrpo());
        assertThatThrownBy(() -> group(DialogueFixture.policy(), drGrpo)
                        .environment(DialogueFixture.CHANCE)
                        .build())
                .hasMessageContaining("CONSTANT_LENGTH")
                .hasMessageContaining("SEQUENCE_SUM");
        GroupConfig grpo = config(1, GroupAlgorithm.grpo());
        assertThatThrownBy(() -> group(DialogueFixture.policy(), grpo)
                        .environment(DialogueFixture.CHANCE)
                        .rewardModel(PpoFixture.COUNT_B)
                        .build())
                .hasMessageContaining("got both");
        assertThatThrownBy(() -> pairs(DialogueFixture.policy(), config(1))
                        .environment(DialogueFixture.CHANCE)
                        .rewardModel(PpoFixture.COUNT_B)
                        .build())
                .hasMessageContaining("got both");
        assertThatThrownBy(() -> group(DialogueFixture.policy(), grpo).build())
                .hasMessageContaining("needs a rewardModel");
    }
}
