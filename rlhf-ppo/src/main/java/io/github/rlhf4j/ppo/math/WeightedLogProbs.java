package io.github.rlhf4j.ppo.math;

/** −w·A·log π with a weight w that is not differentiated: what REINFORCE and CISPO share. */
final class WeightedLogProbs {

    private WeightedLogProbs() {}

    /**
     * The loss of a batch.
     *
     * @param weights w of each token
     * @param unclipped w before it was clipped; a token counts as clipped where they differ
     */
    static PolicyLossResult evaluate(
            double[][] logProbs,
            double[][] oldLogProbs,
            double[][] advantages,
            double[][] weights,
            double[][] unclipped,
            double[] rowWeights) {
        Ragged.requireSameShape("logProbs", logProbs, "advantages", advantages);
        Ragged.requireRowWeights(rowWeights, logProbs);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logProbs);
        RatioStatistics statistics = RatioStatistics.NONE;
        for (int i = 0; i < logProbs.length; i++) {
            for (int t = 0; t < logProbs[i].length; t++) {
                gradient[i][t] = -rowWeights[i] * weights[i][t] * advantages[i][t];
                loss += gradient[i][t] * logProbs[i][t];
                boolean clipped = weights[i][t] != unclipped[i][t];
                statistics =
                        statistics.plus(RatioStatistics.ofToken(logProbs[i][t] - oldLogProbs[i][t], clipped, clipped));
            }
        }
        return new PolicyLossResult(loss, gradient, statistics);
    }
}
