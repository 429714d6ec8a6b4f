package io.github.rlhf4j.ppo;

/**
 * How a reward model is called.
 *
 * @param calls most calls in flight, ≥ 1
 * @param batch most exchanges of a call, ≥ 1
 */
record RewardConcurrency(int calls, int batch) {

    /** One call with the whole rollout. */
    static final RewardConcurrency ONE_CALL = new RewardConcurrency(1, Integer.MAX_VALUE);

    RewardConcurrency {
        if (calls < 1 || batch < 1) {
            throw new IllegalArgumentException("a reward model needs at least one call in flight, with at least one"
                    + " exchange, got " + calls + " calls of " + batch + " exchanges");
        }
    }
}
