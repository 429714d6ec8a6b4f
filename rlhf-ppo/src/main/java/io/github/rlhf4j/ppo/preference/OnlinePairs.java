package io.github.rlhf4j.ppo.preference;

import io.github.rlhf4j.core.ScoredSequence;
import io.github.rlhf4j.ppo.JudgedRollout;
import io.github.rlhf4j.ppo.math.Ragged;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a rollout teaches by comparison: of the responses to each prompt the one that scored best, the first drawn among equals,
 * against the one that scored worst. A prompt whose responses all score the same, or whose best and worst are one and the same
 * response drawn twice, gives no pair.
 *
 * @param chosen rows of the rollout, one per pair
 * @param rejected rows of the rollout, one per pair
 */
record OnlinePairs(JudgedRollout rollout, int[] chosen, int[] rejected) {

    /**
     * The pairs of a rollout.
     *
     * @param scores one per response, by which they are compared
     * @param samples responses per prompt, which stand together
     */
    static OnlinePairs of(JudgedRollout rollout, double[] scores, int samples) {
        List<Integer> best = new ArrayList<>();
        List<Integer> worst = new ArrayList<>();
        List<ScoredSequence> sequences = rollout.batch().sequences();
        for (int from = 0; from < scores.length; from += samples) {
            int high = from;
            int low = from;
            for (int i = from + 1; i < from + samples; i++) {
                high = scores[i] > scores[high] ? i : high;
                low = scores[i] < scores[low] ? i : low;
            }
            if (scores[high] > scores[low]
                    && !sequences.get(high).tokens().equals(sequences.get(low).tokens())) {
                best.add(high);
                worst.add(low);
            }
        }
        return new OnlinePairs(rollout, ints(best), ints(worst));
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    int size() {
        return chosen.length;
    }

    /** Pairs as examples. */
    List<Example> examples(int[] pairs) {
        List<ScoredSequence> sequences = rollout.batch().sequences();
        return Arrays.stream(pairs)
                .mapToObj(i -> Example.ofPair(sequences.get(chosen[i]), sequences.get(rejected[i])))
                .toList();
    }

    /** log π_ref of the two responses of each pair, {@code [pair][2]}, nats. */
    double[][] references(int[] pairs) {
        double[] sums = Ragged.rowSums(rollout.referenceLogProbs());
        return Arrays.stream(pairs)
                .mapToObj(i -> new double[] {sums[chosen[i]], sums[rejected[i]]})
                .toArray(double[][]::new);
    }

    /** log π_old of the responses of pairs, the chosen before the rejected of each, nats. */
    double[][] logProbs(int[] pairs) {
        return Arrays.stream(pairs)
                .mapToObj(i -> new double[][] {rollout.logProbs()[chosen[i]], rollout.logProbs()[rejected[i]]})
                .flatMap(Arrays::stream)
                .toArray(double[][]::new);
    }

    /** Mean of the chosen's score less the rejected's; NaN where there is no pair. */
    double scoreMargin(double[] scores) {
        double sum = 0;
        for (int i = 0; i < size(); i++) {
            sum += scores[chosen[i]] - scores[rejected[i]];
        }
        return sum / size();
    }
}
