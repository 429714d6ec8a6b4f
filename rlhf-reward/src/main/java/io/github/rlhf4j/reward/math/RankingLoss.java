package io.github.rlhf4j.reward.math;

/**
 * A loss of scores against a ranking: the negative log-likelihood of what the labeler said, and its gradient with respect
 * to the scores. Closed: the likelihoods of the papers this library follows. For two responses and default options all
 * three are −log σ(s_w − s_l) (Bradley and Terry 1952).
 *
 * <p>None of them compares responses of equal rank: a tie says nothing about which is better.
 */
public sealed interface RankingLoss permits AllPairsLoss, PlackettLuceLoss, BestOfKLoss {

    /**
     * Loss and gradient of one ranking.
     *
     * @param scores one per response, finite
     * @param ranks rank of each response, 0 the best, equal ranks are ties
     * @throws IllegalArgumentException when the lengths differ, or when all responses tie so that nothing was said
     */
    RankingTerm of(double[] scores, int[] ranks);

    /**
     * The mean over a batch of rankings, each of which weighs the same however many responses it has: the InstructGPT
     * form (§3.5), in which a prompt's comparisons are one batch element.
     *
     * @param scores {@code [ranking][response]}, ragged, finite
     * @param ranks same shape
     */
    default RankingResult evaluate(double[][] scores, int[][] ranks) {
        if (scores.length == 0 || scores.length != ranks.length) {
            throw new IllegalArgumentException("a ranking loss needs at least one ranking and ranks for each, got "
                    + scores.length + " rows of scores and " + ranks.length + " of ranks");
        }
        double[][] gradient = new double[scores.length][];
        double loss = 0;
        PairCounts pairs = PairCounts.NONE;
        for (int i = 0; i < scores.length; i++) {
            RankingTerm term = of(scores[i], ranks[i]);
            loss += term.loss();
            gradient[i] = term.scaledGradient(1.0 / scores.length);
            pairs = pairs.plus(PairCounts.of(scores[i], ranks[i]));
        }
        return new RankingResult(
                loss / scores.length, gradient, pairs.accuracy(), pairs.meanMargin(), pairs.comparisons());
    }

    /** The InstructGPT loss (§3.5) with no option switched on. */
    static RankingLoss instructGpt() {
        return AllPairsLoss.DEFAULT;
    }
}
