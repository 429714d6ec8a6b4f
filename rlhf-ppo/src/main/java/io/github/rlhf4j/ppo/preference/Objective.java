package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.Policy;
import io.github.rlhf4j.ppo.preference.math.KtoLoss;
import io.github.rlhf4j.ppo.preference.math.PairBatch;
import io.github.rlhf4j.ppo.preference.math.PairLoss;
import io.github.rlhf4j.ppo.preference.math.PairResult;
import io.github.rlhf4j.ppo.preference.math.PreferenceLoss;
import io.github.rlhf4j.ppo.preference.math.PreferenceStatistics;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** A loss on the sequences of a batch, whatever an example of it is. */
sealed interface Objective {

    /**
     * Loss of a batch, or of a part that adds up with the others.
     *
     * @param gradient dLoss/dlogProb, one row per learned sequence
     */
    record Outcome(double loss, double[][] gradient, PreferenceStatistics statistics) {}

    static Objective of(PreferenceLoss loss) {
        if (loss instanceof PairLoss pairs) {
            return new OfPairs(pairs);
        }
        return new OfJudgements((KtoLoss) loss);
    }

    /**
     * What rewards of a batch count from; has no gradient. For KTO an estimate of the KL, nats; for pairs {@code rewardMean},
     * reward units, which few of their losses look at.
     *
     * @param rewardMean mean implicit reward of the batches before
     */
    double anchor(
            Policy policy,
            List<Example> batch,
            double[][] reference,
            double temperature,
            int maxTokens,
            double rewardMean);

    /**
     * Weighted sum over a part of a batch.
     *
     * @param logProbs of the learned sequences, in order, {@code [sequence][token]}
     * @param reference one row per example, learned sequences first
     * @param weight of each example
     */
    Outcome evaluate(List<Example> part, double[][] logProbs, double[][] reference, double anchor, double weight);

    /** Rows 2i and 2i + 1 are the chosen and the rejected response of pair i. */
    record OfPairs(PairLoss loss) implements Objective {

        @Override
        public double anchor(
                Policy policy,
                List<Example> batch,
                double[][] reference,
                double temperature,
                int maxTokens,
                double rewardMean) {
            return rewardMean;
        }

        @Override
        public Outcome evaluate(
                List<Example> part, double[][] logProbs, double[][] reference, double anchor, double weight) {
            PairBatch pairs =
                    new PairBatch(every(logProbs, 0), every(logProbs, 1), column(reference, 0), column(reference, 1));
            PairResult result = loss.countingFrom(anchor).evaluate(pairs, weight);
            double[][] gradient = new double[logProbs.length][];
            for (int i = 0; i < part.size(); i++) {
                gradient[2 * i] = result.dChosen()[i];
                gradient[2 * i + 1] = result.dRejected()[i];
            }
            return new Outcome(result.loss(), gradient, result.statistics());
        }

        private static double[][] every(double[][] rows, int offset) {
            return IntStream.range(0, rows.length / 2)
                    .mapToObj(i -> rows[2 * i + offset])
                    .toArray(double[][]::new);
        }
    }

    /** Row i is the i-th judged response; the reference's second number is that of the mismatched one. */
    record OfJudgements(KtoLoss loss) implements Objective {

        @Override
        public double anchor(
                Policy policy,
                List<Example> batch,
                double[][] reference,
                double temperature,
                int maxTokens,
                double rewardMean) {
            List<Example> mismatched = batch.stream()
                    .map(example -> new Example(List.of(), example.compared(), example.desirable()))
                    .toList();
            double[] logProbs = column(ReferenceLogProbs.sums(policy, mismatched, temperature, maxTokens), 0);
            return KtoLoss.anchor(logProbs, column(reference, 1));
        }

        @Override
        public Outcome evaluate(
                List<Example> part, double[][] logProbs, double[][] reference, double anchor, double weight) {
            boolean[] desirable = new boolean[part.size()];
            for (int i = 0; i < desirable.length; i++) {
                desirable[i] = part.get(i).desirable();
            }
            KtoLoss.Result result = loss.evaluate(logProbs, column(reference, 0), desirable, anchor, weight);
            return new Outcome(result.loss(), result.gradient(), result.statistics());
        }
    }

    private static double[] column(double[][] rows, int column) {
        return Arrays.stream(rows).mapToDouble(row -> row[column]).toArray();
    }
}
