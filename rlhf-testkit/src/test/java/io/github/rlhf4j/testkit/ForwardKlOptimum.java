package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.TokenSequence;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What maximises E[r] − β·KL(π_ref‖π): β·π_ref/(λ − r), with λ such that it sums to 1. */
final class ForwardKlOptimum {

    private ForwardKlOptimum() {}

    static ResponseDistribution of(
            ResponseDistribution reference, ToDoubleFunction<TokenSequence> reward, double beta) {
        double low = reference.probabilities().keySet().stream()
                .mapToDouble(reward)
                .max()
                .orElseThrow();
        double high = low + beta; // there every weight is at most its probability
        for (int i = 0; i < 100; i++) {
            double lambda = (low + high) / 2;
            boolean above = reference.expectation(y -> beta / (lambda - reward.applyAsDouble(y))) > 1;
            low = above ? lambda : low;
            high = above ? high : lambda;
        }
        double lambda = high;
        Map<TokenSequence, Double> optimum = new LinkedHashMap<>();
        reference.probabilities().forEach((y, q) -> optimum.put(y, beta * q / (lambda - reward.applyAsDouble(y))));
        return new ResponseDistribution(optimum);
    }
}
