package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * What a loss is the mean over. Every loss here is Σ_i w_i·Σ_t loss_it; an aggregation is the choice of the w_i.
 *
 * <p>The weights are those of the whole minibatch. A micro-batch takes the weights of its rows, so that the losses and
 * gradients of micro-batches <em>add up</em> to those of the minibatch, however it is split.
 */
public enum Aggregation {
    /** Mean over all tokens: w = 1/Σ_i T_i. A long response weighs more than a short one. The default. */
    TOKEN_MEAN {
        @Override
        double rowWeight(int length, long tokens, int sequences, int maximumLength) {
            return 1.0 / tokens;
        }
    },

    /** Mean over sequences of the mean over their tokens: w_i = 1/(B·T_i) (GRPO, Shao et al. 2024). */
    SEQUENCE_MEAN {
        @Override
        double rowWeight(int length, long tokens, int sequences, int maximumLength) {
            return length == 0 ? 0 : 1.0 / ((double) sequences * length);
        }
    },

    /** Mean over sequences of the sum over their tokens: w = 1/B. */
    SEQUENCE_SUM {
        @Override
        double rowWeight(int length, long tokens, int sequences, int maximumLength) {
            return 1.0 / sequences;
        }
    },

    /** As {@link #SEQUENCE_SUM}, divided by the largest length there can be: w = 1/(B·L) (Dr. GRPO, Liu et al. 2025). */
    CONSTANT_LENGTH {
        @Override
        double rowWeight(int length, long tokens, int sequences, int maximumLength) {
            return 1.0 / ((double) sequences * maximumLength);
        }
    };

    abstract double rowWeight(int length, long tokens, int sequences, int maximumLength);

    /**
     * The weight of each token of each row.
     *
     * @param lengths tokens of each sequence of the whole minibatch, at least one token in all
     * @param maximumLength L, the limit on a response's tokens, ≥ 1; only {@link #CONSTANT_LENGTH} uses it
     */
    public double[] rowWeights(int[] lengths, int maximumLength) {
        long tokens = Arrays.stream(lengths).asLongStream().sum();
        if (tokens == 0 || maximumLength < 1) {
            throw new IllegalArgumentException("a loss is a mean over at least one token of responses of at least one,"
                    + " got " + tokens + " tokens and a largest length of " + maximumLength);
        }
        return Arrays.stream(lengths)
                .mapToDouble(length -> rowWeight(length, tokens, lengths.length, maximumLength))
                .toArray();
    }
}
