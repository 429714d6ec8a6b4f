package io.github.rlhf4j.ppo.math;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * DAPO's dynamic sampling (Yu et al. 2025, arXiv 2503.14476): a group whose responses all earn the same teaches nothing, for
 * each of its advantages is 0; others are sampled in its place.
 */
public final class DynamicSampling {

    private DynamicSampling() {}

    /**
     * The groups that teach something, in order: those whose rewards are not all equal.
     *
     * @param scores one per response; entries {@code [g·groupSize, (g + 1)·groupSize)} are of group g
     * @param groupSize ≥ 1, divides the number of scores
     */
    public static int[] informativeGroups(double[] scores, int groupSize) {
        if (groupSize < 1 || scores.length % groupSize != 0) {
            throw new IllegalArgumentException(
                    "scores come in whole groups, got " + scores.length + " scores and groups of " + groupSize);
        }
        return IntStream.range(0, scores.length / groupSize)
                .filter(g -> !Groups.allEqual(Arrays.copyOfRange(scores, g * groupSize, (g + 1) * groupSize)))
                .toArray();
    }
}
