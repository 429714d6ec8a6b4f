package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * Advantages without a value function: the responses to one prompt, or to all, are each other's baseline. An estimator gets
 * rewards per token ({@link RewardShaping#perToken}), so that a KL penalty in the reward is counted by all alike.
 */
public interface GroupAdvantages {

    /**
     * A of each token.
     *
     * @param rewards r_t of each token, reward units; rows {@code [g·groupSize, (g + 1)·groupSize)} answer prompt g
     * @param groupSize responses per prompt, ≥ {@link #leastGroup}; divides the number of rows
     */
    double[][] estimate(double[][] rewards, int groupSize);

    /** The smallest group the estimator is defined on. */
    default int leastGroup() {
        return 2;
    }

    /** An estimator that sees a response's whole reward, and gives all of its tokens one advantage. */
    interface OfSequences extends GroupAdvantages {

        /**
         * A of each response to one prompt.
         *
         * @param rewards R of each, reward units
         */
        double[] ofGroup(double[] rewards);

        @Override
        default double[][] estimate(double[][] rewards, int groupSize) {
            requireGroups(rewards, groupSize, leastGroup());
            double[] sums = Ragged.rowSums(rewards);
            double[][] advantages = Ragged.zerosLike(rewards);
            for (int from = 0; from < sums.length; from += groupSize) {
                double[] group = ofGroup(Arrays.copyOfRange(sums, from, from + groupSize));
                for (int i = 0; i < groupSize; i++) {
                    Arrays.fill(advantages[from + i], group[i]);
                }
            }
            return advantages;
        }
    }

    /**
     * Checks that rows are whole groups of a sufficient size.
     *
     * @throws IllegalArgumentException when not
     */
    static void requireGroups(double[][] rows, int groupSize, int least) {
        if (groupSize < least || rows.length == 0 || rows.length % groupSize != 0) {
            throw new IllegalArgumentException("group advantages need whole groups of at least " + least
                    + " responses to each prompt, got groups of " + groupSize + " in " + rows.length + " responses");
        }
    }
}
