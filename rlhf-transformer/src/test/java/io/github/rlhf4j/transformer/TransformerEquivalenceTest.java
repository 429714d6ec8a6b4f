package io.github.rlhf4j.transformer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.ForwardPass;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.random.RandomKey;
import io.github.rlhf4j.transformer.generation.DecodingSession;
import io.github.rlhf4j.transformer.model.TransformerConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What must not matter does not matter. Double precision: only rounding is left. */
class TransformerEquivalenceTest {

    private static final double ROUNDING = 1e-10;

    private final TransformerConfig config = TransformerConfig.gpt2(17, 24, 16, 2, 4);
    private final TransformerPolicy policy = TestModels.policy(config, 1);

    private TokenSequence tokens(long seed, int length) {
        return TestModels.sequence(seed, length, config.vocabularySize());
    }

    private double[] logProbs(TransformerPolicy of, TokenSequence sequence) {
        return of.score(new SequenceBatch(List.of(ScoredSequence.ofText(sequence))))
                .logProbs()[0];
    }

    @Test
    void theFutureDoesNotChangeThePast() {
        TokenSequence sequence = tokens(1, 20);
        int[] changed = sequence.toArray();
        changed[15] = (changed[15] + 1) % config.vocabularySize();
        double[] before = logProbs(policy, sequence);
        double[] after = logProbs(policy, TokenSequence.of(changed));
        assertThat(Arrays.copyOf(after, 14)).containsExactly(Arrays.copyOf(before, 14));
        assertThat(after[14]).isNotEqualTo(before[14]);
    }

    @Test
    void batchMatesDoNotChangeASequence() {
        TokenSequence sequence = tokens(2, 9);
        double[] alone = logProbs(policy, sequence);
        for (int mates = 1; mates <= 5; mates++) {
            List<ScoredSequence> batch = new ArrayList<>();
            for (int i = 0; i < mates; i++) {
                batch.add(ScoredSequence.ofText(tokens(100 + i, 2 + (7 * i) % 22)));
            }
            batch.add(mates / 2, ScoredSequence.ofText(sequence));
            double[] together = policy.score(new SequenceBatch(batch)).logProbs()[mates / 2];
            assertThat(together).containsExactly(alone, within(ROUNDING));
        }
    }

    @Test
    void incrementalDecodingIsTheFullForwardPass() {
        List<TokenSequence> whole = List.of(tokens(3, 24), tokens(4, 15), tokens(5, 19));
        int[] prompt = {5, 1, 12};
        List<TokenSequence> prompts = new ArrayList<>();
        for (int i = 0; i < whole.size(); i++) {
            prompts.add(whole.get(i).slice(0, prompt[i]));
        }
        double[][] expected = new double[whole.size()][];
        for (int i = 0; i < whole.size(); i++) {
            expected[i] = logProbs(policy, whole.get(i));
        }
        try (DecodingSession session = policy.openSession()) {
            float[][] logits = session.start(prompts);
            int[] length = prompt.clone();
            for (int i = 0; i < whole.size(); i++) {
                assertThat(logProb(logits[i], whole.get(i).get(length[i])))
                        .isCloseTo(expected[i][length[i] - 1], within(1e-5)); // logits leave as float32
            }
            while (true) {
                int[] active = java.util.stream.IntStream.range(0, whole.size())
                        .filter(i -> length[i] + 1 < whole.get(i).length())
                        .toArray();
                if (active.length == 0) {
                    break;
                }
                int[] next = Arrays.stream(active)
                        .map(i -> whole.get(i).get(length[i]++))
                        .toArray();
                float[][] rows = session.advance(active, next);
                for (int k = 0; k < active.length; k++) {
                    int i = active[k];
                    assertThat(logProb(rows[k], whole.get(i).get(length[i])))
                            .isCloseTo(expected[i][length[i] - 1], within(1e-5));
                }
            }
        }
    }

    private static double logProb(float[] logits, int token) {
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        return logits[token] - Math.log(sum);
    }

    @Test
    void theScorerGivesBackWhatTheSamplerDrew() {
        List<TokenSequence> prompts = List.of(tokens(6, 3), tokens(7, 8), tokens(8, 1));
        List<Completion> completions = policy.complete(prompts, Sampling.exact(10, 0.8, Set.of(4)), 11);
        TokenScores scores = policy.score(SequenceBatch.ofCompletions(completions, 0.8));
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(completions.get(i).logProbs()).containsExactly(scores.logProbs()[i], within(1e-5));
        }
    }

    @Test
    void eightMicroBatchesAddUpToOneBatch() {
        List<ScoredSequence> sequences = new ArrayList<>();
        double[][] weights = new double[8][];
        for (int i = 0; i < 8; i++) {
            sequences.add(ScoredSequence.ofText(tokens(20 + i, 3 + 2 * i)));
            weights[i] = new double[2 + 2 * i];
            Arrays.fill(weights[i], 1.0 / 72);
        }
        TransformerPolicy dropping = TestModels.policy(config.withDropout(0.2), 1);
        List<RandomKey> keys =
                IntStream.range(0, 8).mapToObj(RandomKey.of(3)::child).toList();
        dropping.accumulate(new SequenceBatch(sequences), weights, keys);
        double[] whole = dropping.parameters().gradients().dup().data().asDouble();
        dropping.parameters().gradients().assign(0);
        for (int i = 7; i >= 0; i--) {
            dropping.accumulate(
                    new SequenceBatch(List.of(sequences.get(i))), new double[][] {weights[i]}, List.of(keys.get(i)));
        }
        assertThat(dropping.parameters().gradients().dup().data().asDouble()).containsExactly(whole, within(ROUNDING));
    }

    @Test
    void equalSequencesWithKeysOfTheirOwnAreThinnedDifferently() {
        TransformerPolicy dropping = TestModels.policy(config.withDropout(0.2), 1);
        ScoredSequence sequence = ScoredSequence.ofText(tokens(20, 6));
        double[][] weights = new double[2][5];
        List<RandomKey> keys = List.of(RandomKey.of(1), RandomKey.of(2));
        double[][] logProbs = dropping.accumulate(new SequenceBatch(List.of(sequence, sequence)), weights, keys);
        assertThat(logProbs[0]).isNotEqualTo(logProbs[1]);
        assertThatThrownBy(() -> dropping.accumulate(
                        new SequenceBatch(List.of(sequence, sequence)), weights, List.of(RandomKey.of(1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("dropout needs one key for each sequence, got 1 keys for 2 sequences");
    }

    @Test
    void aRepeatedBackwardPassHasTheSameBits() {
        // 700 tokens of 17: each embedding row is added to from many rows at once.
        List<ScoredSequence> sequences = new ArrayList<>();
        double[][] weights = new double[35][20];
        for (int i = 0; i < weights.length; i++) {
            sequences.add(ScoredSequence.ofText(tokens(200 + i, 21)));
            Arrays.fill(weights[i], 1);
        }
        SequenceBatch batch = new SequenceBatch(sequences);
        double[] first = null;
        for (int repeat = 0; repeat < 8; repeat++) {
            policy.parameters().gradients().assign(0);
            policy.accumulate(batch, weights, null);
            double[] gradients = policy.parameters().gradients().dup().data().asDouble();
            first = first == null ? gradients : first;
            assertThat(gradients).containsExactly(first);
        }
    }

    @Test
    void aPassMayRunTwiceBeforeItsBackward() {
        SequenceBatch first = new SequenceBatch(List.of(ScoredSequence.ofText(tokens(30, 8))));
        SequenceBatch second = new SequenceBatch(List.of(ScoredSequence.ofText(tokens(31, 11))));
        try (ForwardPass a = policy.forward(first);
                ForwardPass b = policy.forward(second)) {
            assertThat(a.scores().logProbs()[0])
                    .containsExactly(policy.score(first).logProbs()[0]);
            assertThat(b.scores().logProbs()[0])
                    .containsExactly(policy.score(second).logProbs()[0]);
        }
    }

    @Test
    void threadsMayScoreAtOnce() throws Exception {
        SequenceBatch batch = new SequenceBatch(List.of(ScoredSequence.ofText(tokens(40, 20))));
        double[] expected = policy.score(batch).logProbs()[0];
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<double[]>> calls =
                    java.util.Collections.nCopies(12, () -> policy.score(batch).logProbs()[0]);
            for (Future<double[]> future : threads.invokeAll(calls)) {
                assertThat(future.get()).containsExactly(expected);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aTokenOutsideTheVocabularyIsRefusedByName() {
        TokenSequence bad = TokenSequence.of(1, 2, 17);
        assertThatThrownBy(() -> logProbs(policy, bad))
                .hasMessageContaining("token 17 at position 2")
                .hasMessageContaining("17 tokens");
    }

    @Test
    void aSequenceThatReadsMoreThanTheContextIsRefused() {
        // The last token is only predicted, so 25 fit in a context of 24.
        assertThat(logProbs(policy, tokens(1, 25))).hasSize(24);
        assertThatThrownBy(() -> logProbs(policy, tokens(1, 26)))
                .hasMessageContaining("25 tokens")
                .hasMessageContaining("1 to 24");
    }
}
