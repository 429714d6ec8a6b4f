package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.TokenSequence;
import io.github.rlhf4j.ppo.math.GrpoAdvantages;
import io.github.rlhf4j.ppo.math.KlEstimator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Predicate;

/**
 * Where GRPO goes with responses of one token, a reward of 1 or 0, a KL of coefficient β in the loss and one update per rollout.
 *
 * <p>Each ratio is 1, so the loss's expected slope at the logit of y is −π(y)·(a(y) − E[a]) + β·k(y), where a(y) = E[A | own
 * response y] and E[a] = 0, as a group's advantages add up to 0. K3: k = π − π_ref, which is balanced at
 * π(y) = π_ref(y)·β/(β − a(y)). K2: k = π·(log π/π_ref − KL), at π(y) ∝ π_ref(y)·exp(a(y)/β). Now a(y) depends on y by its reward
 * alone, and on π by p = P(r = 1): of n responses k ~ Bin(n, p) earn 1, with v = (k/n)·(1 − k/n) the mean over the group of A·r
 * is v/(√(v·n/(n − ddof)) + ε); let m(p) be its expectation, then a = m/p where r = 1 and −m/(1 − p) where r = 0. Adding up the
 * responses with r = 1 leaves one equation for p: K3 β·(p − p_ref) = m(p), K2 logit p − logit p_ref = m(p)/(β·p·(1 − p)).
 *
 * <p>For n → ∞ m = √(p·(1 − p)), and K2's p is the fixed point of Mroueh 2025 ("Reinforcement learning with verifiable rewards:
 * GRPO's effective loss, dynamics, and success amplification", arXiv 2503.06639).
 *
 * @param p the probability of a reward of 1
 * @param responses the whole distribution
 */
record GrpoOptimum(double p, ResponseDistribution responses) {

    private static final int GRID = 1000;

    /**
     * Solves for p, and spreads it over the responses.
     *
     * @param right the responses of reward 1
     * @param group n
     * @param estimator K2 or K3
     * @throws IllegalArgumentException when there is not one p, as with K2, large groups and a small β: certainty holds itself there
     */
    static GrpoOptimum of(
            ResponseDistribution reference,
            Predicate<TokenSequence> right,
            GrpoAdvantages advantages,
            int group,
            KlEstimator estimator,
            double beta) {
        double before = reference.expectation(y -> right.test(y) ? 1 : 0);
        double p = root(
                x -> {
                    double m = expectedGain(x, group, advantages);
                    return estimator == KlEstimator.K3
                            ? beta * (x - before) - m
                            : logit(x) - logit(before) - m / (beta * x * (1 - x));
                },
                before);
        Map<TokenSequence, Double> optimum = new LinkedHashMap<>();
        reference
                .probabilities()
                .forEach((y, q) -> optimum.put(y, right.test(y) ? q * p / before : q * (1 - p) / (1 - before)));
        return new GrpoOptimum(p, new ResponseDistribution(optimum));
    }

    /** m(p), by all numbers of right responses in a group. */
    static double expectedGain(double p, int n, GrpoAdvantages advantages) {
        int ddof = advantages.deviation() == GrpoAdvantages.Deviation.SAMPLE ? 1 : 0;
        double sum = 0;
        double logChoose = 0;
        for (int k = 1; k < n; k++) { // where all or none are right every advantage is 0
            logChoose += Math.log((double) (n - k + 1) / k);
            double v = (double) k / n * (1 - (double) k / n);
            double deviation = Math.sqrt(v * n / (n - ddof));
            sum += Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p))
                    * v
                    / (deviation + advantages.epsilon());
        }
        return sum;
    }

    static double logit(double p) {
        return Math.log(p / (1 - p));
    }

    /** The one zero above {@code low}, where the function is below 0. */
    private static double root(DoubleUnaryOperator f, double low) {
        double found = Double.NaN;
        for (int i = 0; i < GRID; i++) {
            double from = low + (1 - low) * i / GRID;
            double to = i == GRID - 1 ? 1 - 1e-12 : low + (1 - low) * (i + 1) / GRID;
            if (f.applyAsDouble(from) < 0 != f.applyAsDouble(to) < 0) {
                if (!Double.isNaN(found)) {
                    throw new IllegalArgumentException("GRPO has more than one stationary point here");
                }
                found = bisect(f, from, to);
            }
        }
        if (Double.isNaN(found)) {
            throw new IllegalArgumentException("GRPO has no stationary point here below a probability of 1");
        }
        return found;
    }

    private static double bisect(DoubleUnaryOperator f, double from, double to) {
        double low = from;
        double high = to;
        for (int i = 0; i < 100; i++) {
            double middle = (low + high) / 2;
            boolean below = f.applyAsDouble(middle) < 0;
            low = below ? middle : low;
            high = below ? high : middle;
        }
        return (low + high) / 2;
    }
}
