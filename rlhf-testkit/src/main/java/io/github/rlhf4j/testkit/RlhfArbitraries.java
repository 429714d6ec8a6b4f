package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Conversation;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.core.SequenceBatch;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Generators for properties: what policies, reward models and objectives take and give. */
public final class RlhfArbitraries {

    private static final double LOWEST_LOG_PROB = -12;
    private static final double LARGEST_REWARD = 5;

    private static final int MOST_RESPONSES = 5;
    private static final int MOST_TOKENS = 6;

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
        return ragged(logProb());
    }

    /** Rewards or values token by token, ragged, in [−5, 5]. */
    public static Arbitrary<double[][]> tokenRewards() {
        return ragged(reward());
    }

    private static Arbitrary<double[][]> ragged(Arbitrary<Double> entry) {
        return entry.array(double[].class)
                .ofMinSize(1)
                .ofMaxSize(MOST_TOKENS)
                .array(double[][].class)
                .ofMinSize(1)
                .ofMaxSize(MOST_RESPONSES);
    }

    private static Arbitrary<Double> logProb() {
        return numbers(LOWEST_LOG_PROB, 0);
    }

    private static Arbitrary<Double> reward() {
        return numbers(-LARGEST_REWARD, LARGEST_REWARD);
    }

    private static Arbitrary<Double> numbers(double low, double high) {
        return Arbitraries.doubles().between(low, high).ofScale(3);
    }

    /** Scores of {@code count} exchanges, in [−5, 5]. */
    public static Arbitrary<double[]> scores(int count) {
        return Arbitraries.doubles()
                .between(-LARGEST_REWARD, LARGEST_REWARD)
                .ofScale(3)
                .array(double[].class)
                .ofSize(count);
    }

    private record Token(double logProb, double move, double reference, double reward, double value) {}

    private record Response(List<Token> tokens, double score) {

        double[] row(ToDoubleFunction<Token> number) {
            return tokens.stream().mapToDouble(number).toArray();
        }
    }

    /**
     * The numbers of a rollout, of one shape. They are made response by response and token by token, so that a failed
     * property's rollout shrinks to the responses and tokens that matter.
     */
    public static Arbitrary<RolloutNumbers> rollouts() {
        Arbitrary<Token> tokens = Combinators.combine(logProb(), numbers(-0.5, 0.5), logProb(), reward(), reward())
                .as(Token::new);
        return Combinators.combine(tokens.list().ofMinSize(1).ofMaxSize(MOST_TOKENS), reward())
                .as(Response::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(MOST_RESPONSES)
                .map(RlhfArbitraries::rollout);
    }

    private static RolloutNumbers rollout(List<Response> responses) {
        return new RolloutNumbers(
                rows(responses, Token::logProb),
                rows(responses, token -> Math.min(0, token.logProb + token.move)),
                rows(responses, Token::reference),
                rows(responses, Token::reward),
                rows(responses, Token::value),
                responses.stream().mapToDouble(Response::score).toArray());
    }

    private static double[][] rows(List<Response> responses, ToDoubleFunction<Token> number) {
        return responses.stream().map(response -> response.row(number)).toArray(double[][]::new);
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

    private record Ranked(String response, int rank) {}

    /** 2 to 6 responses to a prompt with ranks in [0, 5], ties among them, at least two ranks different. */
    public static Arbitrary<Ranking> rankings() {
        Arbitrary<List<Ranked>> ranked = Combinators.combine(
                        responses(), Arbitraries.integers().between(0, 5))
                .as(Ranked::new)
                .list()
                .ofMinSize(2)
                .ofMaxSize(6)
                .filter(responses ->
                        responses.stream().map(Ranked::rank).distinct().count() > 1);
        return Combinators.combine(prompts(), ranked)
                .as((prompt, responses) -> new Ranking(
                        Conversation.of(prompt),
                        responses.stream().map(Ranked::response).toList(),
                        responses.stream().map(Ranked::rank).toList()));
    }

    private static Arbitrary<String> prompts() {
        return Arbitraries.strings().excludeChars('\0').ofMinLength(1).ofMaxLength(20);
    }

    private static Arbitrary<String> responses() {
        return Arbitraries.strings().excludeChars('\0').ofMaxLength(20);
    }
}
