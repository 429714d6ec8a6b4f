package io.github.rlhf4j.ppo;

import java.util.Arrays;

/**
 * How many sequences are sampled per iteration and go into one update. The second divides the first exactly, so that no
 * update is of another size than the rest. What goes through a model at once is another matter, of memory alone: {@link
 * PpoConfig#microBatchTokens()}.
 *
 * @param rollout sequences sampled per iteration, one per prompt
 * @param minibatch sequences per update
 */
public record BatchPlan(int rollout, int minibatch) {

    public BatchPlan {
        if (minibatch < 1 || rollout < 1 || rollout % minibatch != 0) {
            throw new IllegalArgumentException("the minibatch must divide the rollout exactly, got minibatch "
                    + minibatch + " and rollout " + rollout
                    + (rollout >= 1 ? "; choose a divisor of " + rollout : ""));
        }
    }

    /** Updates per epoch over a rollout. */
    public int minibatches() {
        return rollout / minibatch;
    }

    /** The {@code index}-th run of {@code size} entries of an order. */
    static int[] slice(int[] order, int index, int size) {
        return Arrays.copyOfRange(order, index * size, (index + 1) * size);
    }
}
