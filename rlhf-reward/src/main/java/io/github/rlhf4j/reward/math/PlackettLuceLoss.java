package io.github.rlhf4j.reward.math;

/**
 * The negative log-likelihood of the whole order: best first, each response drawn by a softmax of the scores from those
 * that are left (Luce 1959, Plackett 1975). A sum over the K − 1 choices, nats.
 *
 * <p>With ties, each response competes with itself and those strictly worse, never with its equals; without ties that is
 * the usual form.
 */
public record PlackettLuceLoss() implements RankingLoss {

    @Override
    public RankingTerm of(double[] scores, int[] ranks) {
        RankingChecks.check(scores, ranks);
        double[] gradient = new double[scores.length];
        double loss = 0;
        for (int w = 0; w < scores.length; w++) {
            loss += addChoice(scores, ranks, w, gradient);
        }
        return new RankingTerm(loss, gradient);
    }

    /** −log of the probability that {@code w} is chosen from itself and what is worse; gradient softmax − 1{w}. */
    private static double addChoice(double[] scores, int[] ranks, int w, double[] gradient) {
        boolean[] left = new boolean[scores.length];
        for (int i = 0; i < scores.length; i++) {
            left[i] = i == w || ranks[i] > ranks[w];
        }
        double logZ = RankingChecks.logSumExp(scores, left);
        for (int i = 0; i < scores.length; i++) {
            gradient[i] += left[i] ? Math.exp(scores[i] - logZ) : 0;
        }
        gradient[w] -= 1;
        return logZ - scores[w];
    }
}
