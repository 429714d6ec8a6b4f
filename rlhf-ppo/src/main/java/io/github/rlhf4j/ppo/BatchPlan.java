package io.github.rlhf4j.ppo;

/**
 * How many sequences are sampled per iteration, go into one update, and fit into one forward pass. Each divides the one
 * before exactly, so that no update is of another size than the rest.
 *
 * @param rollout sequences sampled per iteration, one per prompt
 * @param minibatch sequences per update
 * @param microbatch sequences per forward and backward pass; changes memory, never the result
 */
public record BatchPlan(int rollout, int minibatch, int microbatch) {

    public BatchPlan {
        requireDivides("minibatch", minibatch, "rollout", rollout);
        requireDivides("microbatch", microbatch, "minibatch", minibatch);
    }

    /** Updates per epoch over a rollout. */
    public int minibatches() {
        return rollout / minibatch;
    }

    /** The {@code index}-th run of {@code size} entries of an order. */
    static int[] slice(int[] order, int index, int size) {
        return java.util.Arrays.copyOfRange(order, index * size, (index + 1) * size);
    }

    private static void requireDivides(String smallName, int small, String largeName, int large) {
        if (small < 1 || large < 1 || large % small != 0) {
            throw new IllegalArgumentException("the " + smallName + " must divide the " + largeName + " exactly, got "
                    + smallName + " " + small + " and " + largeName + " " + large
                    + (large >= 1 ? "; choose a divisor of " + large : ""));
        }
    }
}
