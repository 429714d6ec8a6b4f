package io.github.rlhf4j.ppo.math;

/**
 * What a batch's KL is counted per. Controllers of the same formula differ in this silently elsewhere: a target of 6
 * means 6 nats per response to OpenAI and 6 nats per token, which is never reached, to verl.
 */
public enum KlUnit {
    /** Mean over sequences of the sum over their tokens (Ziegler et al. 2019). The default. */
    PER_SEQUENCE {
        @Override
        public double of(double[][] kl) {
            requireSequences(kl);
            return Ragged.sum(kl) / kl.length;
        }
    },

    /** Mean over sequences of the mean over their tokens (verl, OpenRLHF). */
    PER_TOKEN_OF_SEQUENCE {
        @Override
        public double of(double[][] kl) {
            requireSequences(kl);
            double sum = 0;
            for (double[] row : kl) {
                sum += row.length == 0 ? 0 : Ragged.sum(row) / row.length;
            }
            return sum / kl.length;
        }
    },

    /** Mean over all tokens of the batch. */
    PER_TOKEN {
        @Override
        public double of(double[][] kl) {
            return Ragged.mean(kl);
        }
    };

    /**
     * The batch's KL in this unit.
     *
     * @param kl an estimate at each token, nats
     */
    public abstract double of(double[][] kl);

    private static void requireSequences(double[][] kl) {
        if (kl.length == 0) {
            throw new IllegalArgumentException("the KL of a batch needs at least one sequence, got none");
        }
    }
}
