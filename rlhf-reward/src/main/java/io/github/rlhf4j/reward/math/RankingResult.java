package io.github.rlhf4j.reward.math;

/**
 * Loss of a batch of rankings.
 *
 * @param loss mean over rankings, nats
 * @param gradient dLoss/dscore, {@code [ranking][response]}
 * @param accuracy share of all strict comparisons in which the winner has the higher score, equal scores counted half; in
 *     [0, 1]. Over comparisons, not over rankings: a ranking of nine has more of them than a pair.
 * @param margin mean of s_winner − s_loser over the same comparisons, score units
 * @param comparisons how many there are: pairs of responses that do not tie
 */
public record RankingResult(double loss, double[][] gradient, double accuracy, double margin, int comparisons) {}
