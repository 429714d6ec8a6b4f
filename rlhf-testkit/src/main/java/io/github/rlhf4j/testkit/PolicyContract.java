package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What {@link Policy} promises, as tests. Extend it and give your policy, one that is not nearly certain of its next token:
 * some tests draw until two completions differ.
 */
public abstract class PolicyContract {

    /** More responses than any honest policy of some entropy gives the same of. */
    private static final int DRAWS = 40;

    /** The largest vocabulary whose every token is scored. */
    static final int LARGE = 4096;

    /** The policy under test; each call may give the same one. */
    protected abstract Policy policy();

    /** Prompts of different lengths, at least two, each with room for a response. */
    protected List<TokenSequence> prompts() {
        int size = policy().tokenizer().vocabularySize();
        return List.of(TokenSequence.of(0), TokenSequence.of(1 % size, 0, 0), TokenSequence.of(0, 1 % size));
    }

    /** How completions are drawn: exactly (no truncation), at a temperature above 0. */
    protected Sampling sampling() {
        return Sampling.exact(
                6, 0.8, Set.copyOf(policy().tokenizer().specialTokens().values()));
    }

    /** Number of tokens that have a probability; larger than the tokenizer's where a model's vocabulary is padded. */
    protected int vocabularySize() {
        return policy().tokenizer().vocabularySize();
    }

    /** How far apart rounding may bring two log-probabilities that should be equal, nats. */
    protected double tolerance() {
        return 1e-4;
    }

    @Test
    public void completionsAnswerThePromptsInOrder() {
        List<Completion> completions = policy().complete(prompts(), sampling(), 1);
        assertEquals(prompts().size(), completions.size(), "complete must return one completion per prompt; they are");
        for (int i = 0; i < completions.size(); i++) {
            assertEquals(prompts().get(i), completions.get(i).prompt(), "completion " + i + " must answer its prompt;");
        }
    }

    @Test
    public void theListenerIsToldOfEachCompletionOnceBeforeTheyAreReturned() {
        Map<Integer, Completion> told = new HashMap<>();
        Thread caller = Thread.currentThread();
        List<Completion> returned = policy().complete(prompts(), sampling(), 10, (prompt, completion) -> {
            assertEquals(caller, Thread.currentThread(), "the listener must be told on the calling thread;");
            assertNull(told.put(prompt, completion), () -> "prompt " + prompt + " must not be told of twice;");
        });
        Set<Integer> numbers = IntStream.range(0, prompts().size()).boxed().collect(Collectors.toSet());
        assertEquals(numbers, Set.copyOf(told.keySet()), "the listener must be told of every prompt's completion;");
        List<Completion> without = policy().complete(prompts(), sampling(), 10);
        for (int i = 0; i < returned.size(); i++) {
            assertSame(returned.get(i), told.get(i), "the listener must be told the completion that is returned");
            assertSame(without.get(i), returned.get(i), "a listener must not change a completion");
        }
    }

    @Test
    public void whatTheListenerThrowsEndsTheSampling() {
        IllegalStateException failure = new IllegalStateException("the listener wants no more");
        AtomicInteger told = new AtomicInteger();
        Throwable thrown = assertThrows(
                IllegalStateException.class,
                () -> policy().complete(prompts(), sampling(), 10, (prompt, completion) -> {
                    told.incrementAndGet();
                    throw failure;
                }),
                "what the listener throws must be thrown by complete;");
        assertEquals(failure, thrown, "what the listener throws must be thrown as it is;");
        assertEquals(1, told.get(), "the listener must not be told of more after it has thrown;");
    }

    @Test
    public void responsesKeepToTheSampling() {
        for (Completion completion : draws(1)) {
            TokenSequence response = completion.response();
            int room = policy().contextLength() - completion.prompt().length();
            int limit = Math.min(sampling().maxNewTokens(), room);
            int size = policy().tokenizer().vocabularySize();
            assertTrue(
                    response.length() <= limit,
                    () -> "a response must have at most " + limit + " tokens (maxNewTokens, the context); got "
                            + response);
            assertTrue(
                    response.stream().allMatch(id -> id < size),
                    () -> "only ids of the tokenizer, below " + size + ", may be drawn; got " + response);
            assertStops(completion);
        }
    }

    private void assertStops(Completion completion) {
        TokenSequence response = completion.response();
        int last = response.length() - 1;
        assertTrue(
                response.slice(0, last).stream().noneMatch(sampling().stopTokens()::contains),
                () -> "a stop token must end the response " + response);
        boolean atStopToken = sampling().stopTokens().contains(response.get(last));
        assertEquals(
                atStopToken,
                completion.stopReason() == Completion.StopReason.STOP_TOKEN,
                () -> "the reason must be STOP_TOKEN if and only if the last token is one; " + completion);
    }

    @Test
    public void theSameSeedDrawsTheSameCompletions() {
        List<Completion> again = draws(3);
        List<Completion> first = draws(3);
        for (int i = 0; i < first.size(); i++) {
            assertSame(first.get(i), again.get(i), "the same seed must draw the same completion");
        }
    }

    @Test
    public void seedAndPlaceDecideTheDraw() {
        assertNotEquals(responses(draws(3)), responses(draws(4)), "another seed must draw other completions;");
        long different = responses(draws(3)).stream().distinct().count();
        assertTrue(
                different > 1,
                () -> DRAWS + " copies of a prompt must not all get the same response, but each its own draw");
    }

    @Test
    public void batchMatesDoNotChangeACompletion() {
        List<Completion> together = policy().complete(prompts(), sampling(), 5);
        for (int count = 1; count < together.size(); count++) {
            List<Completion> fewer = policy().complete(prompts().subList(0, count), sampling(), 5);
            for (int i = 0; i < count; i++) {
                assertSame(together.get(i), fewer.get(i), "later prompts must not change a completion");
            }
        }
    }

    @Test
    public void temperatureZeroNeedsNoSeed() {
        Sampling greedy = sampling().withTemperature(0);
        assertEquals(
                responses(policy().complete(prompts(), greedy, 1)),
                responses(policy().complete(prompts(), greedy, 2)),
                "at temperature 0 the most likely token is taken, whatever the seed;");
    }

    /** PPO's first ratio is 1 because of this. */
    @Test
    public void scoringGivesBackTheSamplersLogProbs() {
        List<Completion> completions = draws(6);
        double[][] logProbs = policy().score(batch(completions)).logProbs();
        for (int i = 0; i < completions.size(); i++) {
            assertClose(
                    completions.get(i).logProbs(),
                    logProbs[i],
                    "score must give back the log-probabilities that a completion was drawn with, at its temperature");
        }
    }

    @Test
    public void logProbsAndEntropiesLieInTheirRanges() {
        SequenceBatch batch = batch(draws(7));
        TokenScores scores = policy().score(batch);
        batch.checkShape("score's logProbs", scores.logProbs());
        batch.checkShape("score's entropies", scores.entropies());
        double most = Math.log(vocabularySize());
        for (int i = 0; i < batch.size(); i++) {
            for (int t = 0; t < scores.logProbs()[i].length; t++) {
                double logProb = scores.logProbs()[i][t];
                double entropy = scores.entropies()[i][t];
                assertTrue(
                        Double.isFinite(logProb) && logProb <= tolerance(),
                        () -> "a log-probability must be finite and ≤ 0 nats, got " + logProb);
                assertTrue(
                        entropy >= -tolerance() && entropy <= most + tolerance(),
                        () -> "an entropy must lie in [0, log V = " + most + "] nats, got " + entropy);
            }
        }
    }

    @Test
    public void probabilitiesOfTheNextTokenAddUpToOne() {
        assumeTrue(vocabularySize() <= LARGE, "the vocabulary is too large to score every next token");
        TokenSequence prompt = prompts().get(0);
        List<ScoredSequence> next = IntStream.range(0, vocabularySize())
                .mapToObj(id -> ScoredSequence.of(prompt, TokenSequence.of(id)))
                .toList();
        TokenScores scores = policy().score(new SequenceBatch(next));
        double sum = Arrays.stream(scores.logProbs())
                .mapToDouble(row -> Math.exp(row[0]))
                .sum();
        assertEquals(1, sum, 10 * tolerance(), "the probabilities of all next tokens must add up to 1;");
        double entropy = -Arrays.stream(scores.logProbs())
                .mapToDouble(row -> Math.exp(row[0]) * row[0])
                .sum();
        assertEquals(
                entropy, scores.entropies()[0][0], 10 * tolerance(), "the entropy must be −Σ p·log p of these, nats;");
    }

    @Test
    public void batchMatesDoNotChangeAScore() {
        SequenceBatch batch = batch(policy().complete(prompts(), sampling(), 8));
        TokenScores together = policy().score(batch);
        for (int i = 0; i < batch.size(); i++) {
            TokenScores alone = policy().score(batch.select(i));
            String rule = "a sequence must have the same %s alone as in a batch";
            assertClose(together.logProbs()[i], alone.logProbs()[0], rule.formatted("log-probabilities"));
            assertClose(together.entropies()[i], alone.entropies()[0], rule.formatted("entropies"));
        }
    }

    @Test
    public void aPromptWithoutRoomForAResponseIsRefused() {
        int length = policy().contextLength();
        assumeTrue(length <= 1 << 16, "the context is too long to fill");
        TokenSequence full = TokenSequence.of(new int[length]);
        assertThrows(
                IllegalArgumentException.class,
                () -> policy().complete(List.of(full), sampling(), 1),
                "a prompt as long as the context must be refused;");
    }

    @Test
    public void inferenceRunsFromSeveralThreads() {
        Policy shared = policy();
        List<TokenSequence> prompts = prompts();
        Sampling sampling = sampling();
        List<Completion> expected = shared.complete(prompts, sampling, 9);
        SequenceBatch batch = batch(expected);
        double[][] scored = shared.score(batch).logProbs();
        List<List<Completion>> completions = IntStream.range(0, 8)
                .parallel()
                .mapToObj(thread -> shared.complete(prompts, sampling, 9))
                .toList();
        List<double[][]> logProbs = IntStream.range(0, 8)
                .parallel()
                .mapToObj(thread -> shared.score(batch).logProbs())
                .toList();
        for (int thread = 0; thread < 8; thread++) {
            for (int i = 0; i < expected.size(); i++) {
                assertSame(
                        expected.get(i), completions.get(thread).get(i), "sampling must be safe from several threads");
                assertClose(scored[i], logProbs.get(thread)[i], "scoring must be safe from several threads");
            }
        }
    }

    /** Many completions of the first prompt. */
    final List<Completion> draws(long seed) {
        return policy().complete(Collections.nCopies(DRAWS, prompts().get(0)), sampling(), seed);
    }

    final SequenceBatch batch(List<Completion> completions) {
        return SequenceBatch.ofCompletions(completions, sampling().temperature());
    }

    private static List<TokenSequence> responses(List<Completion> completions) {
        return completions.stream().map(Completion::response).toList();
    }

    private void assertSame(Completion expected, Completion actual, String rule) {
        assertEquals(expected.response(), actual.response(), rule + ";");
        assertClose(expected.logProbs(), actual.logProbs(), rule + " with the same log-probabilities");
    }

    final void assertClose(double[] expected, double[] actual, String rule) {
        assertEquals(expected.length, actual.length, rule + "; number of tokens");
        for (int t = 0; t < expected.length; t++) {
            assertEquals(expected[t], actual[t], tolerance(), rule + "; token " + t);
        }
    }
}
