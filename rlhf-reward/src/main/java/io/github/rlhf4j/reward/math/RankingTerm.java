package io.github.rlhf4j.reward.math;

/**
 * Loss of one ranking.
 *
 * @param loss nats, ≥ 0
 * @param gradient dLoss/dscore, one per response; sums to 0 unless scores are centred
 */
public record RankingTerm(double loss, double[] gradient) {

    /** The gradient times {@code factor}: this ranking's share in a batch's mean. */
    public double[] scaledGradient(double factor) {
        double[] scaled = gradient.clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= factor;
        }
        return scaled;
    }
}
