package io.github.rlhf4j.reward.training;

import io.github.rlhf4j.core.Exchange;
import io.github.rlhf4j.core.PreferenceDataset;
import io.github.rlhf4j.core.Ranking;
import io.github.rlhf4j.reward.TrainableRewardModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The rankings of one update, or those of one micro-batch of it: {@code offset} is where they stand in the update. */
record RankingBatch(List<Ranking> rankings, int[] indices, int offset) {

    static RankingBatch of(PreferenceDataset dataset, int[] indices) {
        List<Ranking> rankings = Arrays.stream(indices).mapToObj(dataset::get).toList();
        return new RankingBatch(rankings, indices, 0);
    }

    int size() {
        return rankings.size();
    }

    /** Index in the dataset of the {@code i}-th ranking. */
    int index(int i) {
        return indices[i];
    }

    /** Every response of every ranking, in order. */
    List<Exchange> exchanges() {
        List<Exchange> exchanges = new ArrayList<>();
        for (Ranking ranking : rankings) {
            for (int i = 0; i < ranking.size(); i++) {
                exchanges.add(ranking.exchange(i));
            }
        }
        return exchanges;
    }

    /** {@code [ranking][response]}. */
    int[][] ranks() {
        return rankings.stream()
                .map(ranking ->
                        ranking.ranks().stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    /** One number per exchange, as {@code [ranking][response]}. */
    double[][] byRanking(double[] perExchange) {
        double[][] rows = new double[size()][];
        int from = 0;
        for (int i = 0; i < rows.length; i++) {
            int to = from + rankings.get(i).size();
            rows[i] = Arrays.copyOfRange(perExchange, from, to);
            from = to;
        }
        return rows;
    }

    /** Micro-batches of whole rankings that cost at most {@code maxTokens} each, or hold one ranking. */
    List<RankingBatch> split(TrainableRewardModel model, int maxTokens) {
        int[] costs = rankings.stream()
                .mapToInt(ranking -> IntStream.range(0, ranking.size())
                        .map(i -> model.tokenCount(ranking.exchange(i)))
                        .sum())
                .toArray();
        return TokenBudget.split(costs, maxTokens).stream()
                .map(part -> new RankingBatch(
                        rankings.subList(part.from(), part.to()),
                        Arrays.copyOfRange(indices, part.from(), part.to()),
                        part.from()))
                .toList();
    }
}
