package io.github.rlhf4j.ppo.math;

/**
 * Clipped importance sampling policy optimisation (MiniMax 2025, "MiniMax-M1", arXiv 2506.13585): REINFORCE with a clipped
 * importance weight that is not differentiated, so that every token keeps a gradient, where PPO's clipping takes it away:
 *
 * <pre>{@code
 * loss = −w·A·log π,  w = stop-gradient(clip(π/π_old, 1 − low, 1 + high))
 * }</pre>
 *
 * The loss is not the thing to watch: its value is no measure of anything, only its gradient −w·A is meant.
 *
 * <p>Of the statistics, a clip counts as binding where w is not the ratio.
 *
 * @param clipLow ε below 1, in (0, 1], 1 for no lower limit (the paper has none in effect)
 * @param clipHigh ε above 1, &gt; 0; tuned in the paper
 */
public record CispoLoss(double clipLow, double clipHigh) implements PolicyLoss {

    public CispoLoss {
        if (!(clipLow > 0 && clipLow <= 1) || !(clipHigh > 0) || Double.isInfinite(clipHigh)) {
            throw new IllegalArgumentException(
                    "CISPO's clip range needs a lower part in (0, 1] and a finite upper part > 0," + " got " + clipLow
                            + " and " + clipHigh);
        }
    }

    @Override
    public PolicyLossResult evaluate(
            double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights) {
        double[][] ratios = Ragged.combine(logProbs, oldLogProbs, (now, old) -> Math.exp(now - old));
        double[][] weights = Ragged.map(ratios, ratio -> ClipRange.clip(ratio, clipLow, clipHigh));
        return WeightedLogProbs.evaluate(logProbs, oldLogProbs, advantages, weights, ratios, rowWeights);
    }
}
