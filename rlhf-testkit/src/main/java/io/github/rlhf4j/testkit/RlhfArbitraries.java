package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Generators for properties: what policies, reward models and objectives take and give. */
public final class RlhfArbitraries {

    private static final double LOWEST_LOG_PROB = -12;
    private static final double LARGEST_REWARD = 5;

    private RlhfArbitraries() {}

    /** Lengths of 1 to 5 responses of 1 to 6 tokens. */
    public static Arbitrary<int[]> responseLengths() {
        return Arbitraries.integers()
                .between(1, 6)
                .array(int[].class)
                .ofMinSize(1)
                .ofMaxSize(5);
    }

    /** Rows of these lengths, their entries in [low, high]. */
    public static Arbitrary<double[][]> rows(int[] lengths, double low, double high) {
        return Arbitraries.doubles()
                .between(low, high)
                .ofScale(3)
                .array(double[].class)
                .ofSize(Arrays.stream(lengths).sum())
                .map(flat -> cut(flat, lengths));
    }

    private static double[][] cut(double[] flat, int[] lengths) {
        double[][] rows = new double[lengths.length][];
        int from = 0;
        for (int i = 0; i < lengths.length; i++) {
            rows[i] = Arrays.copyOfRange(flat, from, from + lengths[i]);
            from += lengths[i];
        }
        return rows;
    }

    /** Log-probabilities of response tokens, ragged, in [−12, 0] nats. */
    public static Arbitrary<double[][]> logProbs() {
        return responseLengths().flatMap(RlhfArbitraries::logProbs);
    }

    private static Arbitrary<double[][]> logProbs(int[] lengths) {
        return rows(lengths, LOWEST_LOG_PROB, 0);
    }

    /** Rewards or values token by token, ragged, in [−5, 5]. */
    public static Arbitrary<double[][]> tokenRewards() {
        return responseLengths().flatMap(lengths -> rows(lengths, -LARGEST_REWARD, LARGEST_REWARD));
    }

    /** Scores of {@code count} exchanges, in [−5, 5]. */
    public static Arbitrary<double[]> scores(int count) {
        return Arbitraries.doubles()
                .between(-LARGEST_REWARD, LARGEST_REWARD)
                .ofScale(3)
                .array(double[].class)
                .ofSize(count);
    }

    /** The numbers of a rollout, of one shape. */
    public static Arbitrary<RolloutNumbers> rollouts() {
        return responseLengths().flatMap(lengths -> Combinators.combine(
                        logProbs(lengths),
                        rows(lengths, -0.5, 0.5),
                        logProbs(lengths),
                        rows(lengths, -LARGEST_REWARD, LARGEST_REWARD),
                        rows(lengths, -LARGEST_REWARD, LARGEST_REWARD),
                        scores(lengths.length))
                .as((logProbs, moves, reference, rewards, values, scores) ->
                        new RolloutNumbers(logProbs, moved(logProbs, moves), reference, rewards, values, scores)));
    }

    private static double[][] moved(double[][] logProbs, double[][] moves) {
        double[][] moved = new double[logProbs.length][];
        for (int i = 0; i < moved.length; i++) {
            moved[i] = new double[logProbs[i].length];
            for (int t = 0; t < moved[i].length; t++) {
                moved[i][t] = Math.min(0, logProbs[i][t] + moves[i][t]);
            }
        }
        return moved;
    }

    /** Sequences of {@code least} to {@code most} ids below {@code vocabularySize}. */
    public static Arbitrary<TokenSequence> tokens(int vocabularySize, int least, int most) {
        return Arbitraries.integers()
                .between(0, vocabularySize - 1)
                .array(int[].class)
                .ofMinSize(least)
                .ofMaxSize(most)
                .map(TokenSequence::of);
    }

    /** A prompt and a response to it, each of 1 to 5 ids below {@code vocabularySize}, the response scored. */
    public static Arbitrary<ScoredSequence> scoredSequences(int vocabularySize) {
        return Combinators.combine(tokens(vocabularySize, 1, 5), tokens(vocabularySize, 1, 5))
                .as((prompt, response) -> ScoredSequence.of(prompt, response));
    }

    /** 1 to 4 prompts with responses, of ids below {@code vocabularySize}, at temperature 1, 0.7 or 1.5. */
    public static Arbitrary<SequenceBatch> batches(int vocabularySize) {
        return Combinators.combine(
                        scoredSequences(vocabularySize).list().ofMinSize(1).ofMaxSize(4), Arbitraries.of(1.0, 0.7, 1.5))
                .as(SequenceBatch::new);
    }

    /** Prompts and responses as text of any characters; responses may be empty. */
    public static Arbitrary<Exchange> exchanges() {
        return Combinators.combine(prompts(), responses()).as(Exchange::of);
    }

    /** 2 to 6 responses to a prompt with ranks, ties among them, at least two ranks different. */
    public static Arbitrary<Ranking> rankings() {
        return Arbitraries.integers().between(2, 6).flatMap(count -> Combinators.combine(
                        prompts(),
                        responses().list().ofSize(count),
                        Arbitraries.integers()
                                .between(0, count - 1)
                                .list()
                                .ofSize(count)
                                .filter(ranks -> ranks.stream().distinct().count() > 1))
                .as((prompt, responses, ranks) -> new Ranking(Conversation.of(prompt), responses, ranks)));
    }

    private static Arbitrary<String> prompts() {
        return Arbitraries.strings().excludeChars('\0').ofMinLength(1).ofMaxLength(20);
    }

    private static Arbitrary<String> responses() {
        return Arbitraries.strings().excludeChars('\0').ofMaxLength(20);
    }
}
