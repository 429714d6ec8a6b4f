package io.github.rlhf4j.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What {@link RewardModel} promises, as tests. Extend it and give your model. */
public abstract class RewardModelContract {

    /** The model under test; each call may give the same one. */
    protected abstract RewardModel rewardModel();

    /** Exchanges of the kind the model will meet, at least two; override when it understands others only. */
    protected List<Exchange> exchanges() {
        return List.of(
                Exchange.of("What is a cat?", "A small domesticated carnivore."),
                Exchange.of("What is a cat?", "Well, where to begin. A cat, as everyone knows, is a cat."),
                Exchange.of("What is a dog?", "no"),
                Exchange.of("Say nothing.", ""),
                Exchange.of("Grüße?", "Bonjour, 你好 😀"));
    }

    /** How far apart rounding may bring two scores that should be equal: this times max(1, |score|). */
    protected double tolerance() {
        return 1e-4;
    }

    @Test
    public void thereIsOneFiniteScorePerExchange() {
        double[] scores = scores(exchanges());
        for (int i = 0; i < scores.length; i++) {
            double score = scores[i];
            int exchange = i;
            assertTrue(
                    Double.isFinite(score),
                    () -> "a score must be finite; exchange " + exchange + " was scored " + score + ": "
                            + exchanges().get(exchange));
        }
    }

    @Test
    public void anEmptyBatchHasNoScores() {
        scores(List.of());
    }

    @Test
    public void scoresFollowTheOrderOfTheExchanges() {
        List<Exchange> reversed = new ArrayList<>(exchanges());
        Collections.reverse(reversed);
        double[] forwards = scores(exchanges());
        double[] backwards = scores(reversed);
        for (int i = 0; i < forwards.length; i++) {
            assertClose(
                    forwards[i],
                    backwards[forwards.length - 1 - i],
                    "scores must be in the order of the exchanges: the batch reversed must have the scores reversed",
                    i);
        }
    }

    /** Trainers cut batches as it suits them. */
    @Test
    public void batchMatesDoNotChangeAScore() {
        double[] together = scores(exchanges());
        for (int i = 0; i < together.length; i++) {
            double alone = scores(List.of(exchanges().get(i)))[0];
            assertClose(
                    together[i], alone, "an exchange must have the same score alone as in a batch, in which it was", i);
        }
    }

    @Test
    public void tokenRewardsAddUpToTheScore() {
        List<TokenSequence> responses =
                exchanges().stream().map(RewardModelContract::tokens).toList();
        double[] scores = scores(exchanges());
        double[][] rewards = rewardModel().scoreTokens(exchanges(), responses);
        assertEquals(scores.length, rewards.length, "scoreTokens must return one row per exchange; rows");
        for (int i = 0; i < scores.length; i++) {
            assertEquals(
                    responses.get(i).length(),
                    rewards[i].length,
                    "scoreTokens must return one reward per response token; rewards of exchange " + i);
            assertClose(
                    scores[i],
                    Arrays.stream(rewards[i]).sum(),
                    "the token rewards of an exchange must add up to its score, which is",
                    i);
        }
    }

    /** One token per character and a stop token: the policy's tokenizer may be any. */
    private static TokenSequence tokens(Exchange exchange) {
        return TokenSequence.of(
                IntStream.concat(exchange.response().chars(), IntStream.of(0)).toArray());
    }

    private double[] scores(List<Exchange> batch) {
        double[] scores = rewardModel().score(batch);
        assertEquals(batch.size(), scores.length, "a reward model must return one score per exchange; scores");
        return scores;
    }

    private void assertClose(double expected, double actual, String rule, int exchange) {
        assertTrue(
                Math.abs(expected - actual) <= tolerance() * Math.max(1, Math.abs(expected)),
                () -> rule + " " + expected + "; got " + actual + " for exchange " + exchange + ": "
                        + exchanges().get(exchange));
    }
}
