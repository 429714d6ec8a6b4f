package io.github.rlhf4j.ppo;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
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
        if (scores.length != exchanges.size()) {
            throw new IllegalStateException("the reward model was given " + exchanges.size()
                    + " exchanges and returned "
                    + scores.length + " scores; RewardModel.score returns one for each, in order. The first exchange: "
                    + describe(exchanges.get(0)));
        }
        for (int i = 0; i < scores.length; i++) {
            if (!Double.isFinite(scores[i])) {
                throw new IllegalStateException("the reward model gave the score " + scores[i] + " to exchange " + i
                        + " (" + describe(exchanges.get(i)) + "); a score is a finite number. Give such responses a"
                        + " fixed low score");
            }
        }
        return scores.clone();
    }

    private static String describe(Exchange exchange) {
        return "prompt \"" + excerpt(exchange.prompt()) + "\", response \"" + excerpt(exchange.response()) + "\"";
    }

    private static String excerpt(String text) {
        return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "…";
    }
}
