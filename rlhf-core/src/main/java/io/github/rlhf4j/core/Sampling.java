package io.github.rlhf4j.core;

import java.util.List;
import java.util.Set;

/**
 * How to draw a completion.
 *
 * @param maxNewTokens upper bound on the response's tokens, ≥ 1
 * @param temperature τ ≥ 0 that divides the logits; 0 takes the most likely token
 * @param topK keep only the k most likely tokens; 0 keeps all (Fan et al. 2018)
 * @param topP keep the most likely tokens up to and including the one that crosses this mass, in (0, 1]; 1 keeps all
 *     (Holtzman et al. 2020)
 * @param repetitionPenalty θ ≥ 1 that divides positive and multiplies negative logits of tokens already in the context;
 *     1 is off (Keskar et al. 2019)
 * @param stopTokens sampling one ends the response; it is the response's last token
 * @param stopStrings text that ends the response as soon as the decoded response contains it
 */
public record Sampling(
        int maxNewTokens,
        double temperature,
        int topK,
        double topP,
        double repetitionPenalty,
        Set<Integer> stopTokens,
        List<String> stopStrings) {

    public Sampling {
        stopTokens = Set.copyOf(stopTokens);
        stopStrings = List.copyOf(stopStrings);
        require(maxNewTokens >= 1, "maxNewTokens must be at least 1", maxNewTokens);
        require(temperature >= 0 && Double.isFinite(temperature), "temperature must be ≥ 0 and finite", temperature);
        require(topK >= 0, "topK must be ≥ 0 (0 keeps all tokens)", topK);
        require(topP > 0 && topP <= 1, "topP must lie in (0, 1] (1 keeps all tokens)", topP);
        require(
                repetitionPenalty >= 1 && Double.isFinite(repetitionPenalty),
                "repetitionPenalty must be ≥ 1 (1 is off)",
                repetitionPenalty);
        require(stopStrings.stream().noneMatch(String::isEmpty), "a stop string must not be empty", stopStrings);
    }

    private static void require(boolean rule, String message, Object value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }

    /** The exact policy at a temperature: what training rollouts are drawn from. No truncation, no penalty. */
    public static Sampling exact(int maxNewTokens, double temperature, Set<Integer> stopTokens) {
        return new Sampling(maxNewTokens, temperature, 0, 1.0, 1.0, stopTokens, List.of());
    }

    /** The most likely token at each step. */
    public static Sampling greedy(int maxNewTokens, Set<Integer> stopTokens) {
        return new Sampling(maxNewTokens, 0, 0, 1.0, 1.0, stopTokens, List.of());
    }

    /** Whether draws come from the policy's own distribution at the temperature, so that PPO may train on them. */
    public boolean isExact() {
        return temperature > 0 && topK == 0 && topP == 1.0 && repetitionPenalty == 1.0;
    }

    public Sampling withMaxNewTokens(int tokens) {
        return new Sampling(tokens, temperature, topK, topP, repetitionPenalty, stopTokens, stopStrings);
    }

    public Sampling withTemperature(double newTemperature) {
        return new Sampling(maxNewTokens, newTemperature, topK, topP, repetitionPenalty, stopTokens, stopStrings);
    }

    public Sampling withTopK(int k) {
        return new Sampling(maxNewTokens, temperature, k, topP, repetitionPenalty, stopTokens, stopStrings);
    }

    public Sampling withTopP(double p) {
        return new Sampling(maxNewTokens, temperature, topK, p, repetitionPenalty, stopTokens, stopStrings);
    }

    public Sampling withRepetitionPenalty(double penalty) {
        return new Sampling(maxNewTokens, temperature, topK, topP, penalty, stopTokens, stopStrings);
    }

    public Sampling withStopStrings(String... strings) {
        return new Sampling(maxNewTokens, temperature, topK, topP, repetitionPenalty, stopTokens, List.of(strings));
    }
}
