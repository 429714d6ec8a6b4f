package io.github.rlhf4j.reward;

import io.github.rlhf4j.core.DivergenceException;
import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.RewardModel;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Reward models made from functions and from other reward models. */
public final class RewardModels {

    private RewardModels() {}

    /** A reward computed from one exchange at a time. */
    public static RewardModel of(ToDoubleFunction<Exchange> reward) {
        return batch -> batch.stream().mapToDouble(reward).toArray();
    }

    /** One term of {@link #weightedSum}. */
    public record Weighted(RewardModel model, double weight) {

        public Weighted {
            if (!Double.isFinite(weight)) {
                throw new IllegalArgumentException("the weight of a reward model must be finite, got " + weight);
            }
        }
    }

    /** Σ weight·score: a learned reward beside a rule, for example a penalty on length. */
    public static RewardModel weightedSum(Weighted... terms) {
        List<Weighted> copy = List.of(terms);
        if (copy.isEmpty()) {
            throw new IllegalArgumentException("a weighted sum needs at least one reward model");
        }
        return batch -> {
            double[] sum = new double[batch.size()];
            for (Weighted term : copy) {
                double[] scores = score(term.model(), batch);
                Arrays.setAll(sum, i -> sum[i] + term.weight() * scores[i]);
            }
            return sum;
        };
    }

    /** Scores limited to {@code [minimum, maximum]}, so that no single response dominates an update. */
    public static RewardModel clipped(RewardModel model, double minimum, double maximum) {
        if (!(minimum < maximum)) {
            throw new IllegalArgumentException(
                    "clipping needs minimum < maximum, got [" + minimum + ", " + maximum + "]");
        }
        return batch -> Arrays.stream(score(model, batch))
                .map(score -> Math.min(maximum, Math.max(minimum, score)))
                .toArray();
    }

    /** Scores under a gain and a bias; see {@link ScoreNormalization} for how to find them. */
    public static RewardModel normalized(RewardModel model, ScoreNormalization normalization) {
        return batch -> normalization.apply(score(model, batch));
    }

    /**
     * The model's scores, checked against its contract.
     *
     * @throws IllegalArgumentException when there is not one score per exchange
     * @throws DivergenceException when a score is not finite, naming the exchange
     */
    public static double[] score(RewardModel model, List<Exchange> batch) {
        double[] scores = model.score(batch);
        if (scores.length != batch.size()) {
            throw new IllegalArgumentException("a reward model must return one score per exchange; asked for "
                    + batch.size() + ", got " + scores.length);
        }
        for (int i = 0; i < scores.length; i++) {
            if (!Double.isFinite(scores[i])) {
                throw new DivergenceException("the reward model scored exchange " + i + " of " + scores.length + " as "
                        + scores[i] + "; a score must be finite. " + describe(batch.get(i)));
            }
        }
        return scores;
    }

    /** An exchange in one line, for messages. */
    public static String describe(Exchange exchange) {
        return "Prompt \"" + abridge(exchange.prompt()) + "\", response \"" + abridge(exchange.response()) + "\"";
    }

    private static String abridge(String text) {
        return text.length() <= 80 ? text : text.substring(0, 77) + "...";
    }
}
