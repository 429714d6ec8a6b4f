package io.github.rlhf4j.reward.evaluation;

import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.core.math.Logistic;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether a score difference means what Bradley–Terry says it does: comparisons sorted by the confidence
 * σ(|s_i − s_j|) ∈ [½, 1] that the higher-scored response wins, against how often it does (the calibration plot of Bai et
 * al. 2022, §3.3).
 *
 * @param bins of equal width over [½, 1], ascending; those without comparisons left out
 * @param expectedCalibrationError Σ (bin's share)·|confidence − frequency| (Naeini et al. 2015), in [0, ½]; 0 is perfect
 * @param accuracy share of comparisons the higher-scored response wins, equal scores counted half; in [0, 1]
 * @param comparisons pairs that do not tie
 */
public record RewardCalibration(List<Bin> bins, double expectedCalibrationError, double accuracy, int comparisons) {

    /**
     * One point of the reliability diagram.
     *
     * @param lower lower edge, in [½, 1)
     * @param upper upper edge, in (½, 1]
     * @param comparisons in this bin, ≥ 1
     * @param meanConfidence mean σ(|s_i − s_j|), in [lower, upper]
     * @param frequency share in which the higher-scored response was preferred, in [0, 1]
     */
    public record Bin(double lower, double upper, int comparisons, double meanConfidence, double frequency) {

        /** Binomial standard error of {@link #frequency}, for an error bar. */
        public double standardError() {
            return Math.sqrt(frequency * (1 - frequency) / comparisons);
        }
    }

    public RewardCalibration {
        bins = List.copyOf(bins);
    }

    /**
     * Calibration of a model on a dataset.
     *
     * @param binCount ≥ 1; 10 is usual
     * @throws IllegalArgumentException when the dataset holds no comparison
     */
    public static RewardCalibration of(RewardModel model, PreferenceDataset dataset, int binCount) {
        if (binCount < 1) {
            throw new IllegalArgumentException("a reliability diagram needs at least one bin, got " + binCount);
        }
        Tally tally = new Tally(binCount);
        for (ScoredRanking scored : ScoredRanking.all(model, dataset)) {
            tally.add(scored);
        }
        return tally.toCalibration();
    }

    /** Running sums per bin. */
    private static final class Tally {

        private final int[] count;
        private final double[] confidence;
        private final double[] wins;

        Tally(int binCount) {
            count = new int[binCount];
            confidence = new double[binCount];
            wins = new double[binCount];
        }

        void add(ScoredRanking ranking) {
            for (int w = 0; w < ranking.scores().length; w++) {
                for (int l = 0; l < ranking.scores().length; l++) {
                    if (ranking.ranks()[w] < ranking.ranks()[l]) {
                        add(ranking.scores()[w] - ranking.scores()[l]);
                    }
                }
            }
        }

        private void add(double lead) {
            double sure = Logistic.sigmoid(Math.abs(lead));
            int bin = Math.min(count.length - 1, (int) ((sure - 0.5) * 2 * count.length));
            count[bin]++;
            confidence[bin] += sure;
            wins[bin] += lead > 0 ? 1 : lead == 0 ? 0.5 : 0;
        }

        RewardCalibration toCalibration() {
            List<Bin> bins = new ArrayList<>();
            int total = 0;
            double error = 0;
            double correct = 0;
            for (int b = 0; b < count.length; b++) {
                total += count[b];
                error += Math.abs(confidence[b] - wins[b]);
                correct += wins[b];
                if (count[b] > 0) {
                    bins.add(new Bin(edge(b), edge(b + 1), count[b], confidence[b] / count[b], wins[b] / count[b]));
                }
            }
            return new RewardCalibration(bins, error / total, correct / total, total);
        }

        private double edge(int bin) {
            return 0.5 + 0.5 * bin / count.length;
        }
    }
}
