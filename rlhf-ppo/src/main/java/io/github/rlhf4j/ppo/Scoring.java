package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Arrays;
import java.util.List;

/** Asks a reward model, and does not believe it blindly. */
final class Scoring {

    private static final int EXCERPT = 80;

    private Scoring() {}

    /**
     * One finite score per exchange.
     *
     * @throws IllegalStateException when the reward model returns another count or a number that is not finite
     */
    static double[] score(RewardModel rewardModel, List<Exchange> exchanges) {
        double[] scores = rewardModel.score(exchanges);
        requireCount(scores.length, exchanges);
        for (int i = 0; i < scores.length; i++) {
            requireFinite(scores[i], i, exchanges.get(i));
        }
        return scores.clone();
    }

    /**
     * One finite reward per response token.
     *
     * @param first number of the first exchange, by which errors name them
     * @throws IllegalStateException when the reward model returns another shape or a number that is not finite
     */
    static double[][] scoreTokens(
            RewardModel rewardModel, List<Exchange> exchanges, List<TokenSequence> responses, int first) {
        double[][] rewards = rewardModel.scoreTokens(exchanges, responses);
        requireCount(rewards.length, exchanges);
        for (int i = 0; i < rewards.length; i++) {
            int tokens = responses.get(i).length();
            if (rewards[i].length != tokens) {
                throw new IllegalStateException("the reward model returned " + rewards[i].length + " rewards for the "
                        + tokens + " tokens of exchange " + (first + i) + " (" + describe(exchanges.get(i))
                        + "); RewardModel.scoreTokens returns one for each, the stop token included");
            }
            requireFinite(Arrays.stream(rewards[i]).sum(), first + i, exchanges.get(i));
        }
        return Arrays.stream(rewards).map(double[]::clone).toArray(double[][]::new);
    }

    private static void requireCount(int count, List<Exchange> exchanges) {
        if (count != exchanges.size()) {
            throw new IllegalStateException("the reward model was given " + exchanges.size()
                    + " exchanges and returned "
                    + count + " scores; RewardModel returns one for each, in order. The first exchange: "
                    + describe(exchanges.get(0)));
        }
    }

    private static void requireFinite(double score, int index, Exchange exchange) {
        if (!Double.isFinite(score)) {
            throw new IllegalStateException("the reward model gave the score " + score + " to exchange " + index + " ("
                    + describe(exchange) + "); a score is a finite number. Give such responses a fixed low score");
        }
    }

    static String describe(Exchange exchange) {
        return "prompt \"" + excerpt(exchange.prompt()) + "\", response \"" + excerpt(exchange.response()) + "\"";
    }

    private static String excerpt(String text) {
        return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "…";
    }
}
