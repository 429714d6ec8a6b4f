package io.github.rlhf4j.ppo.math;

/**
 * PPO's clipped surrogate as a loss (Schulman et al. 2017, equation 7):
 *
 * <pre>{@code
 * ρ    = exp(log π − log π_old)
 * loss = max(−A·ρ, −A·clip(ρ, 1 − low, 1 + high))
 * }</pre>
 *
 * With a dual clip c (Ye et al. 2020, "Mastering complex control in MOBA games", §4) the loss of a token with A &lt; 0 is at
 * most −A·c. Asymmetric limits are "clip-higher" (Yu et al. 2025, DAPO).
 *
 * @param clipLow ε below 1, in (0, 1)
 * @param clipHigh ε above 1, &gt; 0
 * @param dualClip c &gt; 1, or 0 for none
 */
public record ClippedPolicyLoss(double clipLow, double clipHigh, double dualClip) {

    /**
     * Loss, gradient and diagnostics.
     *
     * @param loss weighted sum over tokens
     * @param gradient dLoss/dlogProb
     * @param statistics how far the policy has moved
     */
    public record Result(double loss, double[][] gradient, RatioStatistics statistics) {}

    public ClippedPolicyLoss {
        require(clipLow > 0 && clipLow < 1, "the lower clip range must lie in (0, 1)", clipLow);
        require(clipHigh > 0 && Double.isFinite(clipHigh), "the upper clip range must be > 0 and finite", clipHigh);
        require(dualClip == 0 || dualClip > 1, "the dual clip must be > 1, or 0 for none", dualClip);
    }

    /** Symmetric limits, no dual clip: the paper's. */
    public ClippedPolicyLoss(double clip) {
        this(clip, clip, 0);
    }

    /**
     * The loss of a batch.
     *
     * @param logProbs log π of each token, nats
     * @param oldLogProbs log π_old: of the policy that sampled
     * @param advantages A of each token
     * @param rowWeights weight of each row's tokens, from {@link Aggregation#rowWeights}
     */
    public Result evaluate(double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights) {
        Ragged.requireSameShape("logProbs", logProbs, "oldLogProbs", oldLogProbs);
        Ragged.requireSameShape("logProbs", logProbs, "advantages", advantages);
        Ragged.requireRowWeights(rowWeights, logProbs);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logProbs);
        RatioStatistics statistics = RatioStatistics.NONE;
        for (int i = 0; i < logProbs.length; i++) {
            for (int t = 0; t < logProbs[i].length; t++) {
                Token token = token(logProbs[i][t] - oldLogProbs[i][t], advantages[i][t]);
                loss += rowWeights[i] * token.loss;
                gradient[i][t] = rowWeights[i] * token.gradient;
                statistics = statistics.plus(token.statistics);
            }
        }
        return new Result(loss, gradient, statistics);
    }

    private record Token(double loss, double gradient, RatioStatistics statistics) {}

    private Token token(double logRatio, double advantage) {
        double ratio = Math.exp(logRatio);
        double clipped = Math.max(1 - clipLow, Math.min(1 + clipHigh, ratio));
        double free = -advantage * ratio;
        boolean binding = -advantage * clipped > free;
        double loss = binding ? -advantage * clipped : free;
        double gradient = binding ? 0 : free; // d(−A·e^x)/dx is itself
        if (dualClip > 0 && advantage < 0 && loss > -advantage * dualClip) {
            loss = -advantage * dualClip;
            gradient = 0;
        }
        return new Token(loss, gradient, RatioStatistics.ofToken(logRatio, binding, clipped != ratio));
    }

    private static void require(boolean rule, String message, double value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }
}
