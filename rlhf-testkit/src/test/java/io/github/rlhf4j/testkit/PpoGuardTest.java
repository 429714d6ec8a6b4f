package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import io.github.rlhf4j.core.TrainableValueFunction;
import io.github.rlhf4j.core.UpdateReport;
import io.github.rlhf4j.core.ValuePass;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.core.training.LearningRateSchedule;
import io.github.rlhf4j.ppo.BatchPlan;
import io.github.rlhf4j.ppo.Critic;
import io.github.rlhf4j.ppo.PpoConfig;
import io.github.rlhf4j.ppo.PpoTrainer;
import io.github.rlhf4j.ppo.RewardSettings;
import io.github.rlhf4j.ppo.math.MissingStop;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What goes wrong elsewhere in silence stops here, and says why. */
class PpoGuardTest {

    private static final BatchPlan PLAN = new BatchPlan(16, 16);

    private static PpoConfig config() {
        return PpoFixture.config(3, PLAN);
    }

    private static PpoTrainer rewardedBy(RewardModel rewardModel) {
        return PpoFixture.builder(PpoFixture.policy(), config())
                .rewardModel(rewardModel)
                .build();
    }

    @Test
    void aSamplerAtAnotherTemperatureThanTheScorerIsFound() {
        TabularPolicy disagreeing = new Deceptive() {
            @Override
            public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
                return super.complete(prompts, sampling.withTemperature(0.7), seed);
            }
        };
        disagreeing.setLogits(PpoFixture.LETTERS.encode("aa"), 1, 0, 0);
        PpoTrainer trainer = PpoFixture.builder(disagreeing, config()).build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("sampler and scorer disagree")
                .hasMessageContaining("temperature")
                .hasMessageContaining("top-k");
        assertThat(trainer.stepsDone()).isZero();
    }

    /** Draws the most likely token always, but claims the log-probs of the untruncated policy, as sampler and scorer. */
    @Test
    void truncatedSamplingShowsAsNegativeKl() {
        TabularPolicy truncating = new Deceptive() {
            @Override
            public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
                return super.complete(prompts, sampling.withTemperature(0), seed);
            }
        };
        TabularPolicy reference =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd());
        for (String letter : List.of("a", "b")) {
            reference.setLogits(PpoFixture.LETTERS.encode(letter), 5, 0, 0);
        }
        PpoTrainer trainer =
                PpoFixture.builder(truncating, config()).reference(reference).build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("negative KL")
                .hasMessageContaining("-20.7")
                .hasMessageContaining("truncated");
    }

    @Test
    void honestSamplingDoesNotSoundTheNegativeKlAlarm() {
        PpoConfig still = PpoConfig.of(300, PLAN, PpoFixture.SAMPLING, 3)
                .withRates(new LearningRateSchedule.Constant(1e-3), new LearningRateSchedule.Constant(1e-3));
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), still).build();
        double lowest = 0;
        while (!trainer.finished()) {
            lowest = Math.min(lowest, trainer.step().metric("objective/kl"));
        }
        // Estimates near 0 are of either sign; only impossible ones stop a run.
        assertThat(lowest).isNegative();
    }

    @Test
    void aRewardThatIsNotANumberNamesItsExchange() {
        RewardModel broken = batch -> {
            double[] scores = new double[batch.size()];
            scores[2] = Double.NaN;
            return scores;
        };
        assertThatThrownBy(rewardedBy(broken)::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("score NaN to exchange 2")
                .hasMessageContaining("prompt \"")
                .hasMessageContaining("finite");
    }

    @Test
    void aRewardModelThatReturnsTheWrongCountIsNamed() {
        assertThatThrownBy(rewardedBy(batch -> new double[3])::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("given 16 exchanges and returned 3 scores");
    }

    @Test
    void aDivergedCriticStopsTheRun() {
        TrainableValueFunction diverged = new TrainableValueFunction() {
            @Override
            public double[][] values(SequenceBatch batch) {
                double[][] values = PpoFixture.values().values(batch);
                values[0][0] = Double.POSITIVE_INFINITY;
                return values;
            }

            @Override
            public ValuePass forward(SequenceBatch batch) {
                throw new AssertionError("not reached");
            }

            @Override
            public UpdateReport update(double learningRate) {
                throw new AssertionError("not reached");
            }

            @Override
            public void saveState(Path directory) {}

            @Override
            public void restoreState(Path directory) {}
        };
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), config())
                .critic(Critic.separate(diverged))
                .build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("value")
                .hasMessageContaining("Infinity")
                .hasMessageContaining("learning rate");
    }

    @Test
    void aPolicyWhoseLogProbsAreNotFiniteStopsTheRun() {
        TabularPolicy diverged = PpoFixture.policy();
        for (String prompt : List.of("aa", "ab", "ba")) {
            diverged.setLogits(PpoFixture.LETTERS.encode(prompt), Double.NaN, 0, 0);
        }
        PpoTrainer trainer = PpoFixture.builder(diverged, config()).build();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(DivergenceException.class)
                .hasMessageContaining("NaN")
                .hasMessageContaining("learning rate");
    }

    @Test
    void aCollapsedPolicyIsWarnedOfOnce() {
        TabularPolicy collapsed = PpoFixture.policy();
        for (String prompt : List.of("aa", "ab", "ba")) {
            collapsed.setLogits(PpoFixture.LETTERS.encode(prompt), -50, -50, 50);
        }
        assertThat(warningsOf(collapsed, PLAN))
                .containsOnlyOnce("all 16 responses are the same")
                .containsOnlyOnce("nats per token: it has collapsed")
                .contains("KL coefficient")
                .doesNotContain("responses stopped");
    }

    @Test
    void aPolicyWithOneAnswerToEachPromptIsWarnedOfTooOnce() {
        TabularPolicy narrow = PpoFixture.policy();
        narrow.setLogits(PpoFixture.LETTERS.encode("aa"), -50, -50, 50);
        for (String first : List.of("ab", "ba")) {
            narrow.setLogits(PpoFixture.LETTERS.encode(first), -50, 50, -50);
            narrow.setLogits(PpoFixture.LETTERS.encode(first + "b"), -50, -50, 50);
        }
        assertThat(warningsOf(narrow, new BatchPlan(32, 32)))
                .containsOnlyOnce("only 2 of the 32 responses are different")
                .containsOnlyOnce("entropy of the policy");
    }

    @Test
    void aPolicyThatNeverStopsIsWarnedOfOnce() {
        TabularPolicy endless =
                TabularPolicy.uniform(PpoFixture.LETTERS, TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd());
        for (String last : List.of("a", "b")) {
            endless.setLogits(PpoFixture.LETTERS.encode(last), 0, 0, -50);
        }
        assertThat(warningsOf(endless, PLAN))
                .containsOnlyOnce("none of the 16 responses stopped")
                .contains("MissingStop")
                .doesNotContain("collapsed");
    }

    @Test
    void aWidePolicyIsNotWarnedOf() {
        assertThat(warningsOf(PpoFixture.policy(), PLAN)).doesNotContain("collapsed", "responses stopped");
    }

    private static String warningsOf(TabularPolicy policy, BatchPlan plan) {
        PrintStream original = System.err;
        ByteArrayOutputStream log = new ByteArrayOutputStream();
        System.setErr(new PrintStream(log, true, StandardCharsets.UTF_8));
        try {
            PpoFixture.builder(policy, PpoFixture.config(3, plan)).build().run();
        } finally {
            System.setErr(original);
        }
        return log.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aFinishedRunDoesNotStep() {
        PpoTrainer trainer = PpoFixture.builder(PpoFixture.policy(), PpoFixture.config(1, PLAN))
                .build();
        trainer.step();
        assertThat(trainer.finished()).isTrue();
        assertThatThrownBy(trainer::step)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("all of its 1 iterations");
    }

    // Parts and settings that do not fit

    @Test
    void trainingOnTruncatedSamplesIsRefusedWithTheReason() {
        Sampling sampling = PpoFixture.SAMPLING;
        for (Sampling truncated : List.of(
                sampling.withTopK(5),
                sampling.withTopP(0.9),
                sampling.withRepetitionPenalty(1.1),
                sampling.withTemperature(0))) {
            assertThatThrownBy(() -> PpoConfig.of(1, PLAN, truncated, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("exact policy")
                    .hasMessageContaining("negative")
                    .hasMessageContaining("Sampling.exact");
        }
    }

    @Test
    void batchesMustDivideExactly() {
        assertThatThrownBy(() -> new BatchPlan(10, 4))
                .hasMessageContaining("minibatch must divide the rollout")
                .hasMessageContaining("4")
                .hasMessageContaining("10");
        assertThatThrownBy(() -> config().withMicroBatchTokens(0)).hasMessageContaining("microBatchTokens");
        assertThatThrownBy(() -> new BatchPlan(8, 0)).hasMessageContaining("minibatch 0");
    }

    @Test
    void withoutStopTokensTheMissingStopRuleWouldPunishEveryResponse() {
        Sampling fixedLength = Sampling.exact(4, 1, Set.of());
        PpoConfig config = PpoConfig.of(1, PLAN, fixedLength, 0);
        assertThat(config.rewards().missingStop()).isEqualTo(new MissingStop.Keep());
        assertThatThrownBy(() -> config.withRewards(RewardSettings.defaults()))
                .hasMessageContaining("no response can stop")
                .hasMessageContaining("MissingStop.Keep");
    }

    @Test
    void aMissingPartIsNamed() {
        assertThatThrownBy(() -> PpoTrainer.builder().config(config()).build())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("needs a policy");
    }

    @Test
    void thePolicyCannotBeItsOwnReference() {
        TabularPolicy policy = PpoFixture.policy();
        assertThatThrownBy(() ->
                        PpoFixture.builder(policy, config()).reference(policy).build())
                .hasMessageContaining("frozen copy");
    }

    @Test
    void policyAndReferenceShareATokenizerAndNotOnlyItsSize() {
        assertThatThrownBy(() -> withReference(new Respelled(new LetterTokenizer(2))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("share a tokenizer")
                .hasMessageContaining("token 1 as \"b\" and as \"x\"");
        assertThatThrownBy(() -> withReference(new LetterTokenizer(3))).hasMessageContaining("vocabularies of 3 and 4");
        assertThat(withReference(new LetterTokenizer(2))).isNotNull();
    }

    private static PpoTrainer withReference(Tokenizer tokenizer) {
        TabularPolicy reference =
                TabularPolicy.uniform(tokenizer, TabularContext.LAST_TOKEN, 16, new TabularOptimizer.Sgd());
        return PpoFixture.builder(PpoFixture.policy(), config())
                .reference(reference)
                .build();
    }

    @Test
    void promptsMustBeThereAndLeaveRoom() {
        TabularPolicy policy = PpoFixture.policy();
        assertThatThrownBy(() ->
                        PpoFixture.builder(policy, config()).prompts(List.of()).build())
                .hasMessageContaining("at least one prompt");
        assertThatThrownBy(() -> PpoFixture.builder(policy, config())
                        .prompts(List.of(PpoFixture.prompt("a".repeat(16))))
                        .build())
                .hasMessageContaining("prompt 0 has 16 tokens")
                .hasMessageContaining("context of 16");
    }

    @Test
    void aSharedTrunkNeedsAnActorCritic() {
        assertThatThrownBy(() -> PpoFixture.builder(PpoFixture.policy(), config())
                        .critic(Critic.sharedTrunk())
                        .build())
                .hasMessageContaining("ActorCritic")
                .hasMessageContaining("Critic.separate");
    }

    /** A uniform policy whose sampler may lie. */
    private abstract static class Deceptive extends TabularPolicy {

        Deceptive() {
            super(
                    PpoFixture.LETTERS,
                    TabularContext.LAST_TOKEN,
                    16,
                    new StateTable(3, new TabularOptimizer.Sgd(), RandomKey.of(0), 0));
            setLogits(PpoFixture.LETTERS.encode("a"), 1, 0, 0);
            setLogits(PpoFixture.LETTERS.encode("b"), 1, 0, 0);
        }
    }

    /** The same ids, of which one is spelled otherwise. */
    private record Respelled(Tokenizer tokenizer) implements Tokenizer {

        @Override
        public TokenSequence encode(String text) {
            return tokenizer.encode(text.replace('x', 'b'));
        }

        @Override
        public String decode(TokenSequence tokens) {
            return tokenizer.decode(tokens).replace('b', 'x');
        }

        @Override
        public int vocabularySize() {
            return tokenizer.vocabularySize();
        }

        @Override
        public Map<String, Integer> specialTokens() {
            return tokenizer.specialTokens();
        }

        @Override
        public StreamingDecoder streamingDecoder() {
            return tokenizer.streamingDecoder();
        }
    }
}
