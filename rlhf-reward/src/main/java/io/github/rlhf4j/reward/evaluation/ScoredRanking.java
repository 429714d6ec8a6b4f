package io.github.rlhf4j.reward.evaluation;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.core.RewardModel;
import io.github.rlhf4j.reward.RewardModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A ranking and a model's scores of its responses, in the order of the responses. */
record ScoredRanking(double[] scores, int[] ranks) {

    /** Rankings whose responses go to the model in one call. */
    private static final int CHUNK = 256;

    /** Each ranking of the dataset that holds a comparison, scored. */
    static List<ScoredRanking> all(RewardModel model, PreferenceDataset dataset) {
        List<ScoredRanking> scored = new ArrayList<>();
        List<Ranking> chunk = new ArrayList<>();
        for (Ranking ranking : dataset) {
            if (ranking.pairCount() > 0) {
                chunk.add(ranking);
            }
            if (chunk.size() == CHUNK) {
                score(model, chunk, scored);
                chunk.clear();
            }
        }
        score(model, chunk, scored);
        if (scored.isEmpty()) {
            throw new IllegalArgumentException("none of the " + dataset.size()
                    + " rankings holds a comparison (a pair that does not tie), so there is nothing to measure");
        }
        return scored;
    }

    private static void score(RewardModel model, List<Ranking> rankings, List<ScoredRanking> into) {
        if (rankings.isEmpty()) {
            return;
        }
        double[] scores = RewardModels.score(model, exchanges(rankings));
        int from = 0;
        for (Ranking ranking : rankings) {
            int to = from + ranking.size();
            into.add(new ScoredRanking(
                    Arrays.copyOfRange(scores, from, to),
                    ranking.ranks().stream().mapToInt(Integer::intValue).toArray()));
            from = to;
        }
    }

    private static List<Exchange> exchanges(List<Ranking> rankings) {
        List<Exchange> exchanges = new ArrayList<>();
        for (Ranking ranking : rankings) {
            for (int i = 0; i < ranking.size(); i++) {
                exchanges.add(ranking.exchange(i));
            }
        }
        return exchanges;
    }
}
