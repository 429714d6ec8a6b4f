package io.github.rlhf4j.reward.math;

import io.github.rlhf4j.core.math.Logistic;

/**
 * Mean over all pairs of one ranking of −log P(winner beats loser), P = σ(s_w − s_l): the InstructGPT reward-model loss
 * (Ouyang et al. 2022, §3.5, equation 1), 1/C(K,2) being 1/(number of pairs that do not tie).
 *
 * <p>With options: P = (1 − ε)·σ(s_w − s_l − m) + ε/2, and c·(s_w + s_l)² is added to each pair's loss.
 *
 * @param margin m ≥ 0, score units: the winner must be ahead by this much (Touvron et al. 2023, §3.2.2); default 0
 * @param labelNoise ε in [0, 1): share of answers assumed to be a uniformly random response (Christiano et al. 2017,
 *     §2.2.3, takes 0.1); a wrong answer then costs at most −log(ε/2) and its gradient vanishes; default 0
 * @param centering c ≥ 0: pulls the scores of a pair to a sum of 0, which the ranking alone leaves open (Eisenstein et
 *     al. 2023; 0.01 is usual); default 0
 */
public record AllPairsLoss(double margin, double labelNoise, double centering) implements RankingLoss {

    /** All options off. */
    public static final AllPairsLoss DEFAULT = new AllPairsLoss(0, 0, 0);

    /** The margin of one pair; for labels that say how much better the winner is. */
    @FunctionalInterface
    public interface PairMargin {

        /** Score units, ≥ 0; arguments are indices of responses. */
        double of(int winner, int loser);
    }

    public AllPairsLoss {
        require(margin >= 0 && Double.isFinite(margin), "margin must be ≥ 0 and finite", margin);
        require(
                labelNoise >= 0 && labelNoise < 1,
                "labelNoise must lie in [0, 1); at 1 no answer means anything",
                labelNoise);
        require(centering >= 0 && Double.isFinite(centering), "centering must be ≥ 0 and finite", centering);
    }

    private static void require(boolean condition, String rule, double value) {
        if (!condition) {
            throw new IllegalArgumentException(rule + ", got " + value);
        }
    }

    public AllPairsLoss withMargin(double newMargin) {
        return new AllPairsLoss(newMargin, labelNoise, centering);
    }

    public AllPairsLoss withLabelNoise(double newLabelNoise) {
        return new AllPairsLoss(margin, newLabelNoise, centering);
    }

    public AllPairsLoss withCentering(double newCentering) {
        return new AllPairsLoss(margin, labelNoise, newCentering);
    }

    @Override
    public RankingTerm of(double[] scores, int[] ranks) {
        return of(scores, ranks, (winner, loser) -> margin);
    }

    /** As {@link #of(double[], int[])}, with a margin for each pair in place of the common one. */
    public RankingTerm of(double[] scores, int[] ranks, PairMargin margins) {
        RankingChecks.check(scores, ranks);
        double[] gradient = new double[scores.length];
        double loss = 0;
        int pairs = 0;
        for (int w = 0; w < scores.length; w++) {
            for (int l = 0; l < scores.length; l++) {
                if (ranks[w] < ranks[l]) {
                    loss += addPair(scores, w, l, margins.of(w, l), gradient);
                    pairs++;
                }
            }
        }
        return new RankingTerm(loss / pairs, new RankingTerm(loss, gradient).scaledGradient(1.0 / pairs));
    }

    private double addPair(double[] scores, int w, int l, double pairMargin, double[] gradient) {
        double lead = scores[w] - scores[l] - pairMargin;
        double sum = scores[w] + scores[l];
        double dLead = dNegativeLogProbability(lead);
        double dSum = 2 * centering * sum;
        gradient[w] += dLead + dSum;
        gradient[l] += -dLead + dSum;
        return negativeLogProbability(lead) + centering * sum * sum;
    }

    /** −log[(1 − ε)·σ(x) + ε/2]; the form that does not cancel on either side of P = ½. */
    private double negativeLogProbability(double x) {
        if (labelNoise == 0) {
            return Logistic.softplus(-x);
        }
        return x < 0 ? -Math.log(probability(x)) : -Math.log1p(-probability(-x));
    }

    /** −(1 − ε)·σ(x)·σ(−x)/P, for ε = 0 that is −σ(−x). */
    private double dNegativeLogProbability(double x) {
        if (labelNoise == 0) {
            return -Logistic.sigmoid(-x);
        }
        return -(1 - labelNoise) * Logistic.sigmoid(x) * Logistic.sigmoid(-x) / probability(x);
    }

    private double probability(double x) {
        return (1 - labelNoise) * Logistic.sigmoid(x) + labelNoise / 2;
    }
}
