package io.github.rlhf4j.reward.math;

import java.util.Arrays;

/** The rules that each ranking loss shares. */
final class RankingChecks {

    private RankingChecks() {}

    static void check(double[] scores, int[] ranks) {
        if (scores.length != ranks.length) {
            throw new IllegalArgumentException(
                    "a ranking has " + ranks.length + " ranks but " + scores.length + " scores were given");
        }
        if (allEqual(ranks)) {
            throw new IllegalArgumentException("all " + ranks.length + " responses of a ranking tie (ranks "
                    + Arrays.toString(ranks) + "), so there is nothing to learn from it; leave it out");
        }
    }

    private static boolean allEqual(int[] ranks) {
        for (int rank : ranks) {
            if (rank != ranks[0]) {
                return false;
            }
        }
        return true;
    }

    /** log Σ exp(score) over the responses with {@code included}; at least one is. */
    static double logSumExp(double[] scores, boolean[] included) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < scores.length; i++) {
            max = included[i] ? Math.max(max, scores[i]) : max;
        }
        double sum = 0;
        for (int i = 0; i < scores.length; i++) {
            sum += included[i] ? Math.exp(scores[i] - max) : 0;
        }
        return max + Math.log(sum);
    }
}
