package io.github.rlhf4j.reward.math;

/**
 * How scores agree with ranks, counted over strict comparisons.
 *
 * @param comparisons pairs of responses that do not tie
 * @param correct of them, those in which the winner has the higher score; equal scores count half
 * @param marginSum sum of s_winner − s_loser, score units
 */
public record PairCounts(int comparisons, double correct, double marginSum) {

    public static final PairCounts NONE = new PairCounts(0, 0, 0);

    /** The counts of one ranking. */
    public static PairCounts of(double[] scores, int[] ranks) {
        int comparisons = 0;
        double correct = 0;
        double marginSum = 0;
        for (int w = 0; w < scores.length; w++) {
            for (int l = 0; l < scores.length; l++) {
                if (ranks[w] < ranks[l]) {
                    comparisons++;
                    correct += scores[w] > scores[l] ? 1 : scores[w] == scores[l] ? 0.5 : 0;
                    marginSum += scores[w] - scores[l];
                }
            }
        }
        return new PairCounts(comparisons, correct, marginSum);
    }

    public PairCounts plus(PairCounts other) {
        return new PairCounts(comparisons + other.comparisons, correct + other.correct, marginSum + other.marginSum);
    }

    /** In [0, 1]; NaN when nothing was compared. */
    public double accuracy() {
        return correct / comparisons;
    }

    /** Mean of s_winner − s_loser; NaN when nothing was compared. */
    public double meanMargin() {
        return marginSum / comparisons;
    }
}
