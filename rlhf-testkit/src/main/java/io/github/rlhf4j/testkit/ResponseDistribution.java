package io.github.rlhf4j.testkit;

import io.github.rlhf4j.core.Sampling;
import io.github.rlhf4j.core.TokenSequence;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A distribution over all responses to a prompt, listed.
 *
 * @param probabilities by response, stop token included where there is one; they sum to 1
 */
public record ResponseDistribution(Map<TokenSequence, Double> probabilities) {

    private static final int LARGEST = 1_000_000;

    public ResponseDistribution {
        probabilities = Collections.unmodifiableMap(new LinkedHashMap<>(probabilities));
    }

    /**
     * Lists what a policy can answer: each sequence that ends with a stop token or has reached the limit.
     *
     * @throws IllegalArgumentException when there are more than a million responses
     */
    public static ResponseDistribution of(TabularPolicy policy, TokenSequence prompt, Sampling sampling) {
        if (!sampling.isExact()) {
            throw new IllegalArgumentException("only exact sampling has the policy's probabilities, got " + sampling);
        }
        Map<TokenSequence, Double> found = new LinkedHashMap<>();
        int limit = Math.min(sampling.maxNewTokens(), policy.contextLength() - prompt.length());
        list(policy, prompt, TokenSequence.empty(), 0, limit, sampling, found);
        return new ResponseDistribution(found);
    }

    private static void list(
            TabularPolicy policy,
            TokenSequence prompt,
            TokenSequence response,
            double logProb,
            int room,
            Sampling sampling,
            Map<TokenSequence, Double> found) {
        boolean stopped = !response.isEmpty() && sampling.stopTokens().contains(response.get(response.length() - 1));
        if (stopped || room == 0) {
            found.put(response, Math.exp(logProb));
            if (found.size() > LARGEST) {
                throw new IllegalArgumentException(
                        "more than " + LARGEST + " responses; use fewer letters or a smaller limit on new tokens");
            }
            return;
        }
        double[] next = policy.logProbs(prompt.concat(response), sampling.temperature());
        for (int token = 0; token < next.length; token++) {
            TokenSequence longer = response.concat(TokenSequence.of(token));
            list(policy, prompt, longer, logProb + next[token], room - 1, sampling, found);
        }
    }

    /**
     * What maximises E[reward] − β·KL(π‖this): this·exp(reward/β)/Z, the known optimum of KL-regularised reinforcement
     * learning (Korbak, Perez and Buckley 2022; Rafailov et al. 2023, equation 4).
     *
     * @param reward of a response, reward units
     * @param beta β &gt; 0, reward units per nat
     */
    public ResponseDistribution optimal(ToDoubleFunction<TokenSequence> reward, double beta) {
        if (!(beta > 0)) {
            throw new IllegalArgumentException(
                    "without a KL penalty (beta " + beta + ") the optimum is the best response alone; give beta > 0");
        }
        Map<TokenSequence, Double> tilted = new LinkedHashMap<>();
        double largest =
                probabilities.keySet().stream().mapToDouble(reward).max().orElseThrow();
        probabilities.forEach(
                (response, p) -> tilted.put(response, p * Math.exp((reward.applyAsDouble(response) - largest) / beta)));
        double z = tilted.values().stream().mapToDouble(Double::doubleValue).sum();
        tilted.replaceAll((response, weight) -> weight / z);
        return new ResponseDistribution(tilted);
    }

    /** Σ_y p(y)·f(y). */
    public double expectation(ToDoubleFunction<TokenSequence> f) {
        return probabilities.entrySet().stream()
                .mapToDouble(entry -> entry.getValue() * f.applyAsDouble(entry.getKey()))
                .sum();
    }

    /** ½·Σ_y |p(y) − q(y)|, in [0, 1]: the largest difference in the probability of any event. */
    public double totalVariation(ResponseDistribution other) {
        requireSameResponses(other);
        return probabilities.entrySet().stream()
                        .mapToDouble(entry -> Math.abs(entry.getValue() - other.probability(entry.getKey())))
                        .sum()
                / 2;
    }

    /** KL(this‖other) = Σ_y p(y)·log(p(y)/q(y)), nats. */
    public double kl(ResponseDistribution other) {
        requireSameResponses(other);
        return probabilities.entrySet().stream()
                .filter(entry -> entry.getValue() > 0)
                .mapToDouble(entry -> entry.getValue() * Math.log(entry.getValue() / other.probability(entry.getKey())))
                .sum();
    }

    /** The probability of a response; 0 for one that cannot be. */
    public double probability(TokenSequence response) {
        return probabilities.getOrDefault(response, 0.0);
    }

    private void requireSameResponses(ResponseDistribution other) {
        if (!probabilities.keySet().equals(other.probabilities.keySet())) {
            throw new IllegalArgumentException("distributions over different responses cannot be compared: "
                    + probabilities.size() + " and " + other.probabilities.size() + " responses");
        }
    }
}
