package io.github.rlhf4j.core;

import java.util.List;

/**
 * K ≥ 2 responses to one prompt, ordered by a person's (or labeler's) preference. Ties are allowed.
 *
 * @param conversation the prompt
 * @param responses the K responses, in any order
 * @param ranks rank of each response, 0 the best; equal ranks are ties
 */
public record Ranking(Conversation conversation, List<String> responses, List<Integer> ranks) {

    public Ranking {
        responses = List.copyOf(responses);
        ranks = List.copyOf(ranks);
        if (responses.size() < 2 || ranks.size() != responses.size()) {
            throw new IllegalArgumentException("a ranking needs at least two responses and one rank for each, got "
                    + responses.size() + " responses and " + ranks.size() + " ranks");
        }
        if (ranks.stream().anyMatch(rank -> rank < 0)) {
            throw new IllegalArgumentException("ranks start at 0 (the best), got " + ranks);
        }
    }

    /** A comparison of two responses. */
    public static Ranking ofPair(Conversation conversation, String chosen, String rejected) {
        return new Ranking(conversation, List.of(chosen, rejected), List.of(0, 1));
    }

    /** Number of responses, K. */
    public int size() {
        return responses.size();
    }

    /** Whether response {@code i} is strictly preferred to response {@code j}. */
    public boolean prefers(int i, int j) {
        return ranks.get(i) < ranks.get(j);
    }

    /** Number of ordered pairs (winner, loser); ties do not count. */
    public int pairCount() {
        int pairs = 0;
        for (int i = 0; i < size(); i++) {
            for (int j = 0; j < size(); j++) {
                pairs += prefers(i, j) ? 1 : 0;
            }
        }
        return pairs;
    }

    public Exchange exchange(int i) {
        return new Exchange(conversation, responses.get(i));
    }
}
