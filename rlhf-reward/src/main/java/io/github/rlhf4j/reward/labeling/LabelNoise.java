package io.github.rlhf4j.reward.labeling;

import io.github.rlhf4j.core.random.RandomKey;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The mistakes of a simulated labeler. Each is a function from what the labeler really thinks of K responses to what it
 * answers, and of a random key.
 */
public sealed interface LabelNoise {

    /**
     * The order the labeler gives, as one number per response, larger is better; equal numbers are ties.
     *
     * @param utilities what it thinks, finite
     */
    double[] answer(double[] utilities, RandomKey key);

    /** No mistakes. */
    record None() implements LabelNoise {

        @Override
        public double[] answer(double[] utilities, RandomKey key) {
            return utilities.clone();
        }
    }

    /**
     * With this probability the answer is one drawn uniformly from all orders: the model of Christiano et al. 2017
     * (§2.2.3), with 0.1. Half of the random answers to a comparison of two are right by luck, so a rate of 0.1 makes 5 %
     * of them wrong. The loss that assumes it is {@code AllPairsLoss.withLabelNoise(rate)}.
     *
     * @param rate in [0, 1]
     */
    record UniformAnswer(double rate) implements LabelNoise {

        public UniformAnswer {
            checkRate(rate);
        }

        @Override
        public double[] answer(double[] utilities, RandomKey key) {
            if (key.child("mistaken").uniform() >= rate) {
                return utilities.clone();
            }
            return Arrays.stream(key.child("order").permutation(utilities.length))
                    .asDoubleStream()
                    .toArray();
        }
    }

    /**
     * With this probability two responses, drawn uniformly, change places; of two responses, the answer is the opposite
     * one, so that this is the share of wrong answers.
     *
     * @param rate in [0, 1]
     */
    record Flip(double rate) implements LabelNoise {

        public Flip {
            checkRate(rate);
        }

        @Override
        public double[] answer(double[] utilities, RandomKey key) {
            double[] answer = utilities.clone();
            if (key.child("mistaken").uniform() < rate) {
                int[] order = key.child("places").permutation(answer.length);
                answer[order[0]] = utilities[order[1]];
                answer[order[1]] = utilities[order[0]];
            }
            return answer;
        }
    }

    /**
     * Gumbel noise on each utility: P(i before j) = σ((u_i − u_j)/temperature) (Bradley and Terry 1952), and whole orders
     * are Plackett–Luce. What the ranking losses assume when no option is on.
     *
     * @param temperature &gt; 0, utility units; the smaller, the surer
     */
    record BradleyTerry(double temperature) implements LabelNoise {

        public BradleyTerry {
            if (!(temperature > 0) || Double.isInfinite(temperature)) {
                throw new IllegalArgumentException(
                        "the temperature of a Bradley–Terry labeler must be positive and finite, got " + temperature);
            }
        }

        @Override
        public double[] answer(double[] utilities, RandomKey key) {
            return IntStream.range(0, utilities.length)
                    .mapToDouble(i -> utilities[i] / temperature + gumbel(key.child(i)))
                    .toArray();
        }

        private static double gumbel(RandomKey key) {
            return -Math.log(-Math.log(key.uniform() + 0x1.0p-54)); // the shift keeps both logarithms finite
        }
    }

    private static void checkRate(double rate) {
        if (!(rate >= 0 && rate <= 1)) {
            throw new IllegalArgumentException("an error rate must lie in [0, 1], got " + rate);
        }
    }

    /** Ranks of an answer: 0 for the largest number, equal numbers equal ranks, no gaps between ranks. */
    static int[] ranks(double[] answer) {
        double[] levels = Arrays.stream(answer)
                .distinct()
                .boxed()
                .sorted(Comparator.reverseOrder())
                .mapToDouble(Double::doubleValue)
                .toArray();
        return Arrays.stream(answer)
                .mapToInt(value -> IntStream.range(0, levels.length)
                        .filter(level -> levels[level] == value)
                        .findFirst()
                        .orElseThrow())
                .toArray();
    }
}
