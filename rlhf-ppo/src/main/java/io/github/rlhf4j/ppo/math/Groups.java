package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/** Statistics of one group's rewards. */
final class Groups {

    private Groups() {}

    /** Exactly that number when all rewards are one, which their sum divided by their count need not be. */
    static double mean(double[] rewards) {
        return rewards.length > 0 && allEqual(rewards) ? rewards[0] : Ragged.sum(rewards) / rewards.length;
    }

    /** √(Σ (r − mean)²/(n − ddof)), exactly 0 when all rewards are one number. */
    static double standardDeviation(double[] rewards, int ddof) {
        if (allEqual(rewards)) {
            return 0;
        }
        double mean = mean(rewards);
        double squares =
                Arrays.stream(rewards).map(r -> (r - mean) * (r - mean)).sum();
        return Math.sqrt(squares / (rewards.length - ddof));
    }

    static boolean allEqual(double[] rewards) {
        return Arrays.stream(rewards).allMatch(reward -> reward == rewards[0]);
    }

    /** All but one. */
    static double[] without(double[] rewards, int left) {
        double[] others = new double[rewards.length - 1];
        System.arraycopy(rewards, 0, others, 0, left);
        System.arraycopy(rewards, left + 1, others, left, others.length - left);
        return others;
    }
}
