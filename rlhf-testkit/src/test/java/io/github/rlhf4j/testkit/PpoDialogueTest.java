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
import io.github.rlhf4j.ppo.AdvantageSettings;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.DialogueEnvironment;
import io.github.rlhf4j.ppo.DialogueState;
import io.github.rlhf4j.ppo.LossSettings;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.Reaction;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.RolloutSample;
import io.github.rlhf4j.ppo.math.Aggregation;
import io.github.rlhf4j.ppo.math.ClippedValueLoss;
import io.github.rlhf4j.ppo.math.KlController;
import io.github.rlhf4j.ppo.math.MissingStop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** PPO on dialogues of several turns. */
class PpoDialogueTest {

    private static final double BETA = 0.5;
    private static final LetterTokenizer LETTERS = DialogueFixture.LETTERS;

    private static PpoConfig converging(int iterations, double beta) {
        return DialogueFixture.config(iterations, new BatchPlan(128, 64))
                .withRewards(RewardSettings.defaults()
                        .withKl(new KlController.Fixed(beta))
                        .withMissingStop(new MissingStop.Keep()))
                .withAdvantages(AdvantageSettings.defaults().withWhiten(false))
                .withLosses(LossSettings.defaults().withValue(new ClippedValueLoss(0), 1))
                .withRates(
                        new LearningRateSchedule.WarmupLinear(0.03, 0, iterations),
                        new LearningRateSchedule.WarmupLinear(0.1, 0, iterations));
    }

    /** Nothing is paid before the last turn, and what is paid then depends on the first: the estimate must get there. */
    @Test
    void aFirstTurnIsLearnedFromWhatTheLastIsPaid() {
        TabularPolicy policy = DialogueFixture.policy();
        DialogueFixture.builder(policy, converging(60, 0.01))
                .environment(DialogueFixture.CHANCE)
                .build()
                .run();
        DialogueFixture.assertLearned(policy, 0.95);
    }

    /**
     * With a user who answers a letter always alike, both turns together converge to π_ref·exp(r/β)/Z, as one answer of two
     * letters does ({@link PpoConvergenceTest}), so that first turn, second turn and KL between them are right.
     */
    @Test
    void bothTurnsLeadToTheOptimum() {
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy reference = policy.copy();
        DialogueFixture.builder(policy, converging(100, BETA))
                .environment(DialogueFixture.MIRROR)
                .build()
                .run();
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            ResponseDistribution before = DialogueFixture.mirrored(reference, prompt);
            ResponseDistribution optimal = before.optimal(DialogueFixture::mirrorReward, BETA);
            assertThat(before.totalVariation(optimal)).isGreaterThan(0.2);
            assertThat(DialogueFixture.mirrored(policy, prompt).totalVariation(optimal))
                    .isLessThan(0.01);
        }
    }

    /** Where the user speaks, policy and value function are as they were, to the bits. */
    @Test
    void whatTheUserSaysIsNeverTrainedOn() {
        TabularPolicy policy = DialogueFixture.policy();
        TabularPolicy before = policy.copy();
        TabularValueFunction values = DialogueFixture.values();
        DialogueFixture.builder(policy, DialogueFixture.config(5, new BatchPlan(64, 32)))
                .critic(Critic.separate(values))
                .environment(DialogueFixture.CHANCE)
                .build()
                .run();
        for (Prompt prompt : DialogueFixture.PROMPTS) {
            for (String users : List.of("ac", "bc")) {
                for (TokenSequence prefix : List.of(
                        DialogueFixture.after(prompt, "b"),
                        DialogueFixture.after(prompt, "b", users.substring(0, 1)))) {
                    assertThat(policy.logProbs(prefix, 1)).isEqualTo(before.logProbs(prefix, 1));
                    assertThat(value(values, prefix)).isZero();
                }
                TokenSequence turn = DialogueFixture.after(prompt, "b", users);
                assertThat(policy.logProbs(turn, 1)).isNotEqualTo(before.logProbs(turn, 1));
                assertThat(value(values, turn)).isNotZero();
            }
        }
    }

    private static double value(TabularValueFunction values, TokenSequence prefix) {
        SequenceBatch next = new SequenceBatch(List.of(ScoredSequence.of(prefix, TokenSequence.of(0))));
        return values.values(next)[0][0];
    }

    /** A dialogue that ends with its first turn is an answer: the run is that with a reward model, to the bits. */
    @Test
    void dialoguesOfOneTurnAreTheRunWithARewardModel() {
        PpoConfig config = PpoFixture.config(4, new BatchPlan(16, 8));
        DialogueEnvironment countsB = dialogue ->
                Reaction.end(dialogue.turnText().chars().filter(c -> c == 'b').count());
        List<Map<String, Double>> dialogues = new ArrayList<>();
        TabularPolicy policy = PpoFixture.policy();
        PpoTrainer ofDialogues = PpoTrainer.builder()
                .config(config)
                .policy(policy)
                .reference(policy.copy())
                .environment(countsB)
                .critic(Critic.separate(PpoFixture.values()))
                .prompts(PpoFixture.PROMPTS)
                .build();
        PpoTrainer ofAnswers = PpoFixture.builder(PpoFixture.policy(), config).build();
        while (!ofAnswers.finished()) {
            Map<String, Double> metrics = new LinkedHashMap<>(ofDialogues.step().metrics());
            assertThat(metrics.remove("rollout/turns")).isEqualTo(1);
            assertThat(metrics).isEqualTo(ofAnswers.step().metrics());
            dialogues.add(metrics);
        }
        assertThat(dialogues).doesNotHaveDuplicates();
    }

    /** What an environment is shown, and what a listener sees: three turns of up to two tokens. */
    @Test
    void theEnvironmentSeesTheDialogueGrow() {
        List<DialogueState> seen = new ArrayList<>();
        List<RolloutSample> samples = new ArrayList<>();
        PpoConfig config = PpoConfig.of(1, new BatchPlan(4, 4), Sampling.exact(2, 1, Set.of(LETTERS.end())), 42);
        StepReport report = DialogueFixture.builder(DialogueFixture.policy(), config)
                .environment(dialogue -> {
                    seen.add(dialogue);
                    return dialogue.turn() == 2 ? Reaction.end(4) : Reaction.goOn(2, LETTERS.encode("cc"));
                })
                .onRollout((iteration, all) -> samples.addAll(all))
                .build()
                .step();
        assertThat(seen).hasSize(12);
        for (int i = 0; i < 4; i++) {
            TokenSequence tokens = seen.get(i).prompt().tokens();
            String text = "";
            for (int turn = 0; turn < 3; turn++) {
                DialogueState state = seen.get(4 * turn + i);
                tokens = tokens.concat(state.turnTokens());
                text += state.turnText();
                assertThat(state.turn()).isEqualTo(turn);
                assertThat(state.tokens()).isEqualTo(tokens);
                assertThat(state.turnText()).isEqualTo(LETTERS.decode(state.turnTokens()));
                assertThat(state.stopped())
                        .isEqualTo(state.turnTokens().stream().anyMatch(t -> t == LETTERS.end()));
                assertThat(state.key().bits()).isEqualTo(seen.get(i).key().bits());
                tokens = tokens.concat(LETTERS.encode("cc"));
                text += turn == 2 ? "" : "cc";
            }
            assertThat(samples.get(i).exchange().response()).isEqualTo(text);
            assertThat(samples.get(i).score()).isEqualTo(8);
            assertThat(samples.get(i).stopped()).isEqualTo(seen.get(8 + i).stopped());
        }
        assertThat(seen.stream().map(state -> state.key().bits()).distinct()).hasSize(4);
        assertThat(report.metric("rollout/turns")).isEqualTo(3);
    }

    /** A context of 16 has room for 14 tokens after a prompt: turns 1, 6 and 11 of one token, and no fourth. */
    @Test
    void aDialogueEndsWhereTheContextDoes() {
        List<RolloutSample> samples = new ArrayList<>();
        StepReport report = DialogueFixture.builder(
                        DialogueFixture.policy(), DialogueFixture.config(1, new BatchPlan(2, 2)))
                .environment(dialogue -> Reaction.goOn(1, LETTERS.encode("abcc")))
                .onRollout((iteration, all) -> samples.addAll(all))
                .build()
                .step();
        assertThat(report.metric("rollout/turns")).isEqualTo(3);
        assertThat(report.metric("rollout/length")).isEqualTo(3);
        assertThat(report.metric("rollout/stopped")).isZero();
        assertThat(samples).allSatisfy(sample -> {
            assertThat(sample.score()).isEqualTo(3);
            assertThat(sample.exchange().response().replace("abcc", "")).hasSizeLessThanOrEqualTo(3);
        });
    }

    @Test
    void whatCannotBeIsRefused() {
        PpoConfig config = DialogueFixture.config(1, new BatchPlan(2, 2));
        var builder = DialogueFixture.builder(DialogueFixture.policy(), config);
        assertThatThrownBy(builder::build).hasMessageContaining("needs a rewardModel");
        assertThatThrownBy(() -> DialogueFixture.builder(DialogueFixture.policy(), config)
                        .rewardModel(PpoFixture.COUNT_B)
                        .environment(DialogueFixture.CHANCE)
                        .build())
                .hasMessageContaining("got both");
        PpoConfig constantLength =
                config.withLosses(LossSettings.defaults().withAggregation(Aggregation.CONSTANT_LENGTH));
        assertThatThrownBy(() -> DialogueFixture.builder(DialogueFixture.policy(), constantLength)
                        .environment(DialogueFixture.CHANCE)
                        .build())
                .hasMessageContaining("CONSTANT_LENGTH");
        DialogueEnvironment silent = new DialogueEnvironment() {
            @Override
            public Reaction react(DialogueState dialogue) {
                return Reaction.end(0);
            }

            @Override
            public List<Reaction> reactAll(List<DialogueState> dialogues) {
                return List.of();
            }
        };
        assertThatThrownBy(() -> builder.environment(silent).build().step())
                .hasMessageContaining("given 2 dialogues and returned 0 reactions");
        assertThatThrownBy(() -> Reaction.goOn(0, TokenSequence.empty())).hasMessageContaining("Reaction.end(reward)");
        assertThatThrownBy(() -> Reaction.end(Double.NaN)).hasMessageContaining("finite number, got NaN");
    }

    /** The same seed, the same dialogues, the environment's chances included; another seed, others. */
    @Test
    void aRunIsAFunctionOfItsSeed() {
        assertThat(firstMetrics(42)).isEqualTo(firstMetrics(42)).isNotEqualTo(firstMetrics(43));
        assertThat(firstMetrics(42).get("objective/kl")).isCloseTo(0, offset(1e-9));
    }

    private static Map<String, Double> firstMetrics(long seed) {
        PpoConfig config = PpoConfig.of(1, new BatchPlan(16, 8), DialogueFixture.ONE_TOKEN, seed);
        return DialogueFixture.builder(DialogueFixture.policy(), config)
                .environment(DialogueFixture.CHANCE)
                .build()
                .step()
                .metrics();
    }
}
