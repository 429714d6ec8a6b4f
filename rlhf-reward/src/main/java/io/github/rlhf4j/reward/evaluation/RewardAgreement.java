package io.github.rlhf4j.reward.evaluation;

import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.RewardModel;
import java.util.List;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;

/**
 * How far two reward models say the same of the responses of a dataset: a learned one and the gold one it imitates, or
 * two seeds of one recipe.
 *
 * @param pairAgreement share of response pairs of one prompt that both put in the same order, a tie of either counted
 *     half; in [0, 1], ½ for unrelated models
 * @param pearson linear correlation of the scores over all responses, in [−1, 1]; NaN when one model's are all equal
 * @param spearman rank correlation over all responses, in [−1, 1]; NaN likewise
 * @param responses number of responses scored
 */
public record RewardAgreement(double pairAgreement, double pearson, double spearman, int responses) {

    /** Agreement on the responses of a dataset; its ranks are not looked at, save that rankings that all tie are left out. */
    public static RewardAgreement of(RewardModel first, RewardModel second, PreferenceDataset dataset) {
        List<ScoredRanking> firstScores = ScoredRanking.all(first, dataset);
        List<ScoredRanking> secondScores = ScoredRanking.all(second, dataset);
        double[] x = flatten(firstScores);
        double[] y = flatten(secondScores);
        return new RewardAgreement(
                pairAgreement(firstScores, secondScores),
                new PearsonsCorrelation().correlation(x, y),
                new SpearmansCorrelation().correlation(x, y),
                x.length);
    }

    private static double[] flatten(List<ScoredRanking> rankings) {
        return rankings.stream()
                .flatMapToDouble(ranking -> java.util.Arrays.stream(ranking.scores()))
                .toArray();
    }

    private static double pairAgreement(List<ScoredRanking> first, List<ScoredRanking> second) {
        double agreed = 0;
        int pairs = 0;
        for (int r = 0; r < first.size(); r++) {
            double[] a = first.get(r).scores();
            double[] b = second.get(r).scores();
            for (int i = 0; i < a.length; i++) {
                for (int j = 0; j < i; j++) {
                    agreed += 0.5 + 0.5 * Math.signum(a[i] - a[j]) * Math.signum(b[i] - b[j]);
                    pairs++;
                }
            }
        }
        return agreed / pairs;
    }
}
