package io.github.rlhf4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.rlhf4j.core.Completion;
import io.github.rlhf4j.core.CompletionListener;
import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenScores;
import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.core.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each test of the contracts for users' own classes fails on a class that breaks its promise, and says which. */
class BrokenImplementationsTest {

    private static <C> void assertFails(C contract, Consumer<C> test, String says) {
        assertThat(catchThrowable(() -> test.accept(contract)))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(says);
    }

    private static RewardModelContract reward(RewardModel model) {
        return new RewardModelContract() {
            @Override
            protected RewardModel rewardModel() {
                return model;
            }
        };
    }

    private static double[] lengths(List<Exchange> batch) {
        return batch.stream().mapToDouble(e -> e.response().length()).toArray();
    }

    @Test
    void rewardModels() {
        RewardModelContract missing = reward(batch -> new double[Math.max(0, batch.size() - 1)]);
        assertFails(missing, RewardModelContract::thereIsOneFiniteScorePerExchange, "one score per exchange");
        RewardModelContract infinite = reward(batch ->
                batch.stream().mapToDouble(e -> 1.0 / e.response().length()).toArray());
        assertFails(infinite, RewardModelContract::thereIsOneFiniteScorePerExchange, "must be finite");
        RewardModelContract neverEmpty = reward(batch -> new double[Math.max(1, batch.size())]);
        assertFails(neverEmpty, RewardModelContract::anEmptyBatchHasNoScores, "one score per exchange");
        RewardModelContract sorted = reward(batch -> {
            double[] scores = lengths(batch);
            Arrays.sort(scores);
            return scores;
        });
        assertFails(sorted, RewardModelContract::scoresFollowTheOrderOfTheExchanges, "in the order of the exchanges");
        RewardModelContract whitened = reward(batch -> {
            double mean = Arrays.stream(lengths(batch)).average().orElse(0);
            return Arrays.stream(lengths(batch)).map(s -> s - mean).toArray();
        });
        assertFails(whitened, RewardModelContract::batchMatesDoNotChangeAScore, "same score alone");
        assertFails(reward(tokenRewards(1)), RewardModelContract::tokenRewardsAddUpToTheScore, "must add up");
        assertFails(reward(tokenRewards(0)), RewardModelContract::tokenRewardsAddUpToTheScore, "per response token");
    }

    /** Pays the score with each token, or has no token. */
    private static RewardModel tokenRewards(int each) {
        return new RewardModel() {
            @Override
            public double[] score(List<Exchange> batch) {
                return lengths(batch);
            }

            @Override
            public double[][] scoreTokens(List<Exchange> batch, List<TokenSequence> responses) {
                double[][] rewards = new double[batch.size()][];
                for (int i = 0; i < rewards.length; i++) {
                    rewards[i] = new double[each * responses.get(i).length()];
                    Arrays.fill(rewards[i], lengths(batch)[i]);
                }
                return rewards;
            }
        };
    }

    private static final List<Ranking> RANKINGS =
            List.of(Ranking.ofPair(Conversation.of("a"), "b", "c"), Ranking.ofPair(Conversation.of("d"), "e", "f"));

    private abstract static class Dataset implements PreferenceDataset {

        @Override
        public int size() {
            return 2;
        }

        @Override
        public Ranking get(int index) {
            return RANKINGS.get(index);
        }
    }

    private static PreferenceDatasetContract dataset(Supplier<PreferenceDataset> datasets) {
        return new PreferenceDatasetContract() {
            @Override
            protected PreferenceDataset dataset() {
                return datasets.get();
            }
        };
    }

    @Test
    void datasets() {
        AtomicInteger calls = new AtomicInteger();
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Ranking get(int index) {
                        return RANKINGS.get(calls.getAndIncrement() % 2);
                    }
                }),
                PreferenceDatasetContract::aRankingIsTheSameOneEachTime,
                "same ranking each time");
        AtomicInteger opened = new AtomicInteger();
        assertFails(
                dataset(() -> {
                    int shift = opened.getAndIncrement();
                    return new Dataset() {
                        @Override
                        public Ranking get(int index) {
                            return RANKINGS.get((index + shift) % 2);
                        }
                    };
                }),
                PreferenceDatasetContract::aResumedRunSeesTheSameRankings,
                "opened again must have the same rankings");
        Iterator<Ranking> once = RANKINGS.iterator();
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Iterator<Ranking> iterator() {
                        return once;
                    }
                }),
                PreferenceDatasetContract::theIteratorGivesEveryRankingInOrder,
                "it ended");
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Iterator<Ranking> iterator() {
                        return List.of(RANKINGS.get(1), RANKINGS.get(0)).iterator();
                    }
                }),
                PreferenceDatasetContract::theIteratorGivesEveryRankingInOrder,
                "in order");
        assertFails(
                dataset(() -> new Dataset() {
                    @Override
                    public Ranking get(int index) {
                        return RANKINGS.get(Math.floorMod(index, 2));
                    }
                }),
                PreferenceDatasetContract::anIndexOutsideIsRefused,
                "must be refused");
    }

    /** Characters below 256 as bytes and two special tokens, each part replaceable by a broken one. */
    private static class Bytes implements Tokenizer {

        @Override
        public TokenSequence encode(String text) {
            return TokenSequence.of(text.chars().toArray());
        }

        @Override
        public String decode(TokenSequence tokens) {
            StringBuilder text = new StringBuilder();
            for (int id : tokens.toArray()) {
                if (id >= vocabularySize()) {
                    throw new IllegalArgumentException("id " + id);
                }
                text.append(id < 256 ? String.valueOf((char) id) : "");
            }
            return text.toString();
        }

        @Override
        public int vocabularySize() {
            return 258;
        }

        @Override
        public Map<String, Integer> specialTokens() {
            return Map.of("<end>", 256, "<user>", 257);
        }

        @Override
        public StreamingDecoder streamingDecoder() {
            return new StreamingDecoder() {
                @Override
                public String accept(int token) {
                    return decode(TokenSequence.of(token));
                }

                @Override
                public String finish() {
                    return "";
                }
            };
        }
    }

    private static TokenizerContract tokenizer(Tokenizer tokenizer) {
        return new TokenizerContract() {
            @Override
            protected Tokenizer tokenizer() {
                return tokenizer;
            }

            @Override
            protected List<String> texts() {
                return List.of("", "a", "A Cat ");
            }
        };
    }

    /** What is broken below is all that is. */
    @Test
    void theTokenizerThatIsBrokenBelowIsWhole() {
        TokenizerContract whole = tokenizer(new Bytes());
        whole.decodingGivesBackTheText();
        whole.everyIdLiesInTheVocabulary();
        whole.textNeverBecomesASpecialToken();
        whole.specialTokensHaveNoText();
        whole.theStreamPutTogetherIsTheDecodedText();
        whole.anIdOutsideTheVocabularyIsRefused();
        whole.manyThreadsGetTheSameTokens();
    }

    @Test
    void tokenizers() {
        TokenizerContract lowerCase = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return super.encode(text.toLowerCase(Locale.ROOT));
            }
        });
        assertFails(lowerCase, TokenizerContract::decodingGivesBackTheText, "must be the text");
        TokenizerContract small = tokenizer(new Bytes() {
            @Override
            public int vocabularySize() {
                return 90;
            }
        });
        assertFails(small, TokenizerContract::everyIdLiesInTheVocabulary, "every id must lie in");
        TokenizerContract injectable = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return text.equals("<user>") ? TokenSequence.of(257) : super.encode(text);
            }
        });
        assertFails(injectable, TokenizerContract::textNeverBecomesASpecialToken, "must never become a special token");
        TokenizerContract spelled = tokenizer(new Bytes() {
            @Override
            public String decode(TokenSequence tokens) {
                return super.decode(tokens) + (tokens.stream().anyMatch(id -> id == 256) ? "<end>" : "");
            }
        });
        assertFails(spelled, TokenizerContract::specialTokensHaveNoText, "must leave out the special token");
        TokenizerContract spaced = tokenizer(new Bytes() {
            @Override
            public StreamingDecoder streamingDecoder() {
                StreamingDecoder decoder = super.streamingDecoder();
                return new StreamingDecoder() {
                    @Override
                    public String accept(int token) {
                        return decoder.accept(token).strip();
                    }

                    @Override
                    public String finish() {
                        return decoder.finish();
                    }
                };
            }
        });
        assertFails(spaced, TokenizerContract::theStreamPutTogetherIsTheDecodedText, "put together");
        TokenizerContract lenient = tokenizer(new Bytes() {
            @Override
            public String decode(TokenSequence tokens) {
                return super.decode(
                        TokenSequence.of(tokens.stream().map(id -> id % 258).toArray()));
            }
        });
        assertFails(lenient, TokenizerContract::anIdOutsideTheVocabularyIsRefused, "must refuse the id");
        AtomicInteger calls = new AtomicInteger();
        TokenizerContract stateful = tokenizer(new Bytes() {
            @Override
            public TokenSequence encode(String text) {
                return TokenSequence.of(calls.getAndIncrement());
            }
        });
        assertFails(stateful, TokenizerContract::manyThreadsGetTheSameTokens, "many threads");
    }

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
        return policy(sampler, scorer -> scorer, BrokenImplementationsTest::tell);
    }

    private static PolicyContract scoring(BiFunction<SequenceBatch, TokenScores, TokenScores> change) {
        return policy(
                sampler -> sampler,
                scorer -> batch -> change.apply(batch, scorer.score(batch)),
                BrokenImplementationsTest::tell);
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
        Consumer<PolicyContract> once = PolicyContract::theListenerIsToldOfEachCompletionOnceBeforeTheyAreReturned;
        telling(BrokenImplementationsTest::tell).theListenerIsToldOfEachCompletionOnceBeforeTheyAreReturned();
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
                        once.accept(contract);
                    } catch (CompletionException e) {
                        throw (AssertionError) e.getCause();
                    }
                },
                "on the calling thread");
        Consumer<PolicyContract> thrown = PolicyContract::whatTheListenerThrowsEndsTheSampling;
        telling(BrokenImplementationsTest::tell).whatTheListenerThrowsEndsTheSampling();
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
