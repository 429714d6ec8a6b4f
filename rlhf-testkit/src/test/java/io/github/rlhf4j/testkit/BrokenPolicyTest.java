package io.github.rlhf4j.testkit;

import static io.github.rlhf4j.testkit.Broken.assertFails;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each test of the policies' contract fails on a policy that breaks its promise, and says which. */
class BrokenPolicyTest {

    /** A tabular policy whose completions and scores are changed on their way out. */
    private static PolicyContract policy(
            UnaryOperator<Sampler> sampler,
            UnaryOperator<Scorer> scorer,
            BiConsumer<List<Completion>, CompletionListener> teller) {
        TabularPolicy sound = PpoFixture.policy();
        Sampler sampling = sampler.apply(sound::complete);
        Scorer scoring = scorer.apply(sound::score);
        return new PolicyContract() {
            @Override
            protected BrokenPolicy policy() {
                return new BrokenPolicy(sound, sampling, scoring, teller);
            }
        };
    }

    private interface Sampler {
        List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed);
    }

    private interface Scorer {
        TokenScores score(SequenceBatch batch);
    }

    private record BrokenPolicy(
            TabularPolicy sound,
            Sampler sampler,
            Scorer scorer,
            BiConsumer<List<Completion>, CompletionListener> teller)
            implements Policy {

        @Override
        public Tokenizer tokenizer() {
            return sound.tokenizer();
        }

        @Override
        public int contextLength() {
            return sound.contextLength();
        }

        @Override
        public List<Completion> complete(List<TokenSequence> prompts, Sampling sampling, long seed) {
            return sampler.complete(prompts, sampling, seed);
        }

        @Override
        public List<Completion> complete(
                List<TokenSequence> prompts, Sampling sampling, long seed, CompletionListener listener) {
            List<Completion> completions = complete(prompts, sampling, seed);
            teller.accept(completions, listener);
            return completions;
        }

        @Override
        public TokenScores score(SequenceBatch batch) {
            return scorer.score(batch);
        }
    }

    private static PolicyContract sampling(UnaryOperator<Sampler> sampler) {
        return policy(sampler, scorer -> scorer, BrokenPolicyTest::tell);
    }

    private static PolicyContract scoring(BiFunction<SequenceBatch, TokenScores, TokenScores> change) {
        return policy(
                sampler -> sampler,
                scorer -> batch -> change.apply(batch, scorer.score(batch)),
                BrokenPolicyTest::tell);
    }

    private static PolicyContract telling(BiConsumer<List<Completion>, CompletionListener> teller) {
        return policy(sampler -> sampler, scorer -> scorer, teller);
    }

    private static void tell(List<Completion> completions, CompletionListener listener) {
        for (int i = 0; i < completions.size(); i++) {
            listener.onCompletion(i, completions.get(i));
        }
    }

    private static TokenScores plus(TokenScores scores, double logProb, double entropy) {
        return new TokenScores(plus(scores.logProbs(), logProb), plus(scores.entropies(), entropy));
    }

    private static double[][] plus(double[][] rows, double term) {
        return Arrays.stream(rows)
                .map(row -> Arrays.stream(row).map(x -> x + term).toArray())
                .toArray(double[][]::new);
    }

    @Test
    void samplers() {
        assertFails(
                sampling(s ->
                        (prompts, sampling, seed) -> s.complete(prompts.subList(1, prompts.size()), sampling, seed)),
                PolicyContract::completionsAnswerThePromptsInOrder,
                "one completion per prompt");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> {
                    List<TokenSequence> reversed = new ArrayList<>(prompts);
                    Collections.reverse(reversed);
                    return s.complete(reversed, sampling, seed);
                }),
                PolicyContract::completionsAnswerThePromptsInOrder,
                "must answer its prompt");
        assertFails(
                sampling(s -> (prompts, sampling, seed) ->
                        s.complete(prompts, Sampling.exact(9, sampling.temperature(), sampling.stopTokens()), seed)),
                PolicyContract::responsesKeepToTheSampling,
                "at most 6 tokens");
        assertFails(
                sampling(s -> (prompts, sampling, seed) ->
                        s.complete(prompts, Sampling.exact(6, sampling.temperature(), Set.of()), seed)),
                PolicyContract::responsesKeepToTheSampling,
                "a stop token must end");
        AtomicInteger calls = new AtomicInteger();
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling, calls.getAndIncrement())),
                PolicyContract::theSameSeedDrawsTheSameCompletions,
                "the same seed must draw");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling, 0)),
                PolicyContract::seedAndPlaceDecideTheDraw,
                "another seed must draw other");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> prompts.stream()
                        .map(prompt -> s.complete(List.of(prompt), sampling, seed + prompts.size())
                                .get(0))
                        .toList()),
                PolicyContract::seedAndPlaceDecideTheDraw,
                "each its own draw");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling, seed + prompts.size())),
                PolicyContract::batchMatesDoNotChangeACompletion,
                "later prompts must not change");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling.withTemperature(3), seed)),
                PolicyContract::temperatureZeroNeedsNoSeed,
                "at temperature 0");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling.withTemperature(1), seed)),
                PolicyContract::scoringGivesBackTheSamplersLogProbs,
                "must give back the log-probabilities");
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(List.of(TokenSequence.of(0)), sampling, seed)),
                PolicyContract::aPromptWithoutRoomForAResponseIsRefused,
                "as long as the context");
        AtomicInteger draws = new AtomicInteger();
        assertFails(
                sampling(s -> (prompts, sampling, seed) -> s.complete(prompts, sampling, draws.getAndIncrement())),
                PolicyContract::inferenceRunsFromSeveralThreads,
                "safe from several threads");
    }

    @Test
    void tellers() {
        Broken.ContractTest<PolicyContract> once =
                PolicyContract::theListenerIsToldOfEachCompletionOnceBeforeTheyAreReturned;
        telling(BrokenPolicyTest::tell).theListenerIsToldOfEachCompletionOnceBeforeTheyAreReturned();
        assertFails(telling((completions, listener) -> {}), once, "told of every prompt's completion");
        assertFails(
                telling((completions, listener) -> {
                    tell(completions, listener);
                    listener.onCompletion(1, completions.get(1));
                }),
                once,
                "prompt 1 must not be told of twice");
        assertFails(
                telling((completions, listener) -> {
                    for (int i = 0; i < completions.size(); i++) {
                        listener.onCompletion(i, completions.get((i + 1) % completions.size()));
                    }
                }),
                once,
                "must be told the completion that is returned");
        assertFails(
                telling((completions, listener) -> CompletableFuture.runAsync(() -> tell(completions, listener))
                        .join()),
                contract -> {
                    try {
                        once.run(contract);
                    } catch (CompletionException e) {
                        throw (AssertionError) e.getCause();
                    }
                },
                "on the calling thread");
        Broken.ContractTest<PolicyContract> thrown = PolicyContract::whatTheListenerThrowsEndsTheSampling;
        telling(BrokenPolicyTest::tell).whatTheListenerThrowsEndsTheSampling();
        assertFails(
                telling((completions, listener) -> {
                    try {
                        tell(completions, listener);
                    } catch (IllegalStateException e) {
                        // as if nothing had been said
                    }
                }),
                thrown,
                "must be thrown by complete");
        assertFails(
                telling((completions, listener) -> {
                    try {
                        tell(completions, listener);
                    } catch (IllegalStateException e) {
                        throw new IllegalStateException(e);
                    }
                }),
                thrown,
                "must be thrown as it is");
        assertFails(
                telling((completions, listener) -> {
                    try {
                        tell(completions, listener);
                    } finally {
                        try {
                            tell(completions, listener);
                        } catch (IllegalStateException e) {
                            // the first is thrown
                        }
                    }
                }),
                thrown,
                "must not be told of more");
    }

    @Test
    void scorers() {
        assertFails(
                scoring((batch, scores) -> plus(scores, 20, 0)),
                PolicyContract::logProbsAndEntropiesLieInTheirRanges,
                "must be finite and ≤ 0");
        assertFails(
                scoring((batch, scores) -> plus(scores, 0, 2)),
                PolicyContract::logProbsAndEntropiesLieInTheirRanges,
                "an entropy must lie in");
        assertFails(
                scoring((batch, scores) -> plus(scores, 0.01, 0)),
                PolicyContract::probabilitiesOfTheNextTokenAddUpToOne,
                "must add up to 1");
        assertFails(
                scoring((batch, scores) -> plus(scores, 0, 0.01)),
                PolicyContract::probabilitiesOfTheNextTokenAddUpToOne,
                "the entropy must be");
        assertFails(
                scoring((batch, scores) -> plus(scores, -0.01 * batch.size(), 0)),
                PolicyContract::batchMatesDoNotChangeAScore,
                "log-probabilities alone as in a batch");
    }
}
