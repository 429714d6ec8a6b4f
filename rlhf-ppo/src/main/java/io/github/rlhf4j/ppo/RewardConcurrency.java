package io.github.rlhf4j.ppo;

/**
 * How a reward model is called: on threads of the trainer's, while the rest of the rollout is sampled, and then while the
 * reference (and the critic, where there is one) is asked about it. A call is about {@code batch} consecutive responses of the
 * rollout and is made when they have all ended, so a batch below the rollout's size is what lets calls begin while others are
 * sampled; a model that answers slowly, as one over a network does, takes several calls at once.
 *
 * <p>Neither number changes which responses are sampled, and neither changes the run where a score does not depend on what is
 * scored with it. With {@code calls} above 1 the model must be safe to use from several threads. Where it shares the processor
 * with the policy, the two slow each other down.
 *
 * @param calls most calls in flight, ≥ 1
 * @param batch most exchanges of a call, ≥ 1
 */
public record RewardConcurrency(int calls, int batch) {

    /** One call with the whole rollout, which begins when it is there. The default. */
    public static final RewardConcurrency ONE_CALL = new RewardConcurrency(1, Integer.MAX_VALUE);

    public RewardConcurrency {
        if (calls < 1 || batch < 1) {
            throw new IllegalArgumentException("a reward model needs at least one call in flight, with at least one"
                    + " exchange, got " + calls + " calls of " + batch + " exchanges");
        }
    }
}
