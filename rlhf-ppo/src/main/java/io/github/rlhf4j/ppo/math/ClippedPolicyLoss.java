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
public record ClippedPolicyLoss(double clipLow, double clipHigh, double dualClip) implements PolicyLoss {

    public ClippedPolicyLoss {
        ClipRange.require(clipLow, clipHigh);
        if (!(dualClip == 0 || dualClip > 1)) {
            throw new IllegalArgumentException("the dual clip must be > 1, or 0 for none, got " + dualClip);
        }
    }

    /** Symmetric limits, no dual clip: the paper's. */
    public ClippedPolicyLoss(double clip) {
        this(clip, clip, 0);
    }

    @Override
    public PolicyLossResult evaluate(
            double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights) {
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
        return new PolicyLossResult(loss, gradient, statistics);
    }

    private record Token(double loss, double gradient, RatioStatistics statistics) {}

    private Token token(double logRatio, double advantage) {
        double ratio = Math.exp(logRatio);
        double clipped = ClipRange.clip(ratio, clipLow, clipHigh);
        double free = advantage == 0 ? 0 : -advantage * ratio; // 0 also where the ratio overflows
        boolean binding = -advantage * clipped > free;
        double loss = binding ? -advantage * clipped : free;
        double gradient = binding ? 0 : free; // d(−A·e^x)/dx is itself
        if (dualClip > 0 && advantage < 0 && loss > -advantage * dualClip) {
            loss = -advantage * dualClip;
            gradient = 0;
        }
        return new Token(loss, gradient, RatioStatistics.ofToken(logRatio, binding, clipped != ratio));
    }
}
