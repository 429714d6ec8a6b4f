package io.github.rlhf4j.reward.training;

import java.util.ArrayList;
import java.util.List;

/** Splits a list into consecutive parts that cost no more than a budget of tokens each. */
final class TokenBudget {

    /** Indices {@code [from, to)}. */
    record Part(int from, int to) {}

    private TokenBudget() {}

    /**
     * As few parts as filling one after the other gives; an item that is over the budget by itself is a part by itself.
     *
     * @param costs tokens of each item, in order
     * @param budget tokens per part, ≥ 1
     */
    static List<Part> split(int[] costs, int budget) {
        if (budget < 1) {
            throw new IllegalArgumentException("a batch must be allowed at least one token, got " + budget);
        }
        List<Part> parts = new ArrayList<>();
        int from = 0;
        long sum = 0;
        for (int i = 0; i < costs.length; i++) {
            if (i > from && sum + costs[i] > budget) {
                parts.add(new Part(from, i));
                from = i;
                sum = 0;
            }
            sum += costs[i];
        }
        if (from < costs.length) {
            parts.add(new Part(from, costs.length));
        }
        return parts;
    }
}
