package io.github.rlhf4j.reward.math;

/**
 * Cross-entropy of the best response under a softmax of the scores: what Ziegler et al. 2019 (§2, equation 1) train on
 * best-of-4 labels. The order among the others is not used.
 *
 * <p>Where several share the best rank, the label says that the best is one of them, and the loss is −log of the sum of
 * their probabilities.
 */
public record BestOfKLoss() implements RankingLoss {

    @Override
    public RankingTerm of(double[] scores, int[] ranks) {
        RankingChecks.check(scores, ranks);
        boolean[] all = new boolean[scores.length];
        boolean[] best = new boolean[scores.length];
        int bestRank = Integer.MAX_VALUE;
        for (int rank : ranks) {
            bestRank = Math.min(bestRank, rank);
        }
        for (int i = 0; i < scores.length; i++) {
            all[i] = true;
            best[i] = ranks[i] == bestRank;
        }
        double logZ = RankingChecks.logSumExp(scores, all);
        double logBest = RankingChecks.logSumExp(scores, best);
        double[] gradient = new double[scores.length];
        for (int i = 0; i < scores.length; i++) {
            gradient[i] = Math.exp(scores[i] - logZ) - (best[i] ? Math.exp(scores[i] - logBest) : 0);
        }
        return new RankingTerm(logZ - logBest, gradient);
    }
}
