package io.github.rlhf4j.ppo.math;

/**
 * Group sequence policy optimisation (Zheng et al. 2025, "Group sequence policy optimization", arXiv 2507.18071): PPO's
 * clipped surrogate on one ratio per sequence, the geometric mean of its tokens' ratios:
 *
 * <pre>{@code
 * s    = exp(mean_t (log π − log π_old))
 * loss = max(−A_t·s, −A_t·clip(s, 1 − low, 1 + high))
 * }</pre>
 *
 * A sequence is clipped whole. With one advantage per sequence and {@link Aggregation#SEQUENCE_MEAN} this is the paper's
 * objective; advantages that differ by token are taken as they are, s and its gradient still being the sequence's.
 *
 * <p>Of the statistics, ratio and KL are of tokens as for the other losses; the clip fractions count the tokens whose
 * sequence's s is clipped.
 *
 * @param clipLow ε below 1, in (0, 1); 3e-4 in the paper, for s moves far less than the ratio of a token
 * @param clipHigh ε above 1, &gt; 0; 4e-4 in the paper
 */
public record GspoLoss(double clipLow, double clipHigh) implements PolicyLoss {

    public GspoLoss {
        ClipRange.require(clipLow, clipHigh);
    }

    /** The paper's limits, 3e-4 and 4e-4. */
    public static GspoLoss defaults() {
        return new GspoLoss(3e-4, 4e-4);
    }

    @Override
    public PolicyLossResult evaluate(
            double[][] logProbs, double[][] oldLogProbs, double[][] advantages, double[] rowWeights) {
        double[][] logRatios = Ragged.combine(logProbs, oldLogProbs, (now, old) -> now - old);
        Ragged.requireSameShape("logProbs", logProbs, "advantages", advantages);
        Ragged.requireRowWeights(rowWeights, logProbs);
        double loss = 0;
        double[][] gradient = Ragged.zerosLike(logProbs);
        RatioStatistics statistics = RatioStatistics.NONE;
        for (int i = 0; i < logRatios.length; i++) {
            int tokens = logRatios[i].length;
            double ratio = tokens == 0 ? 1 : Math.exp(Ragged.sum(logRatios[i]) / tokens);
            double clipped = ClipRange.clip(ratio, clipLow, clipHigh);
            double slope = 0; // dloss/dlog s
            for (int t = 0; t < tokens; t++) {
                double free = advantages[i][t] == 0 ? 0 : -advantages[i][t] * ratio; // 0 also where s overflows
                boolean binding = -advantages[i][t] * clipped > free;
                loss += rowWeights[i] * (binding ? -advantages[i][t] * clipped : free);
                slope += binding ? 0 : free; // d(−A·e^x)/dx is itself
                statistics = statistics.plus(RatioStatistics.ofToken(logRatios[i][t], binding, clipped != ratio));
            }
            for (int t = 0; t < tokens; t++) {
                gradient[i][t] = rowWeights[i] * slope / tokens; // dlog s/dlog π_t = 1/T
            }
        }
        return new PolicyLossResult(loss, gradient, statistics);
    }
}
