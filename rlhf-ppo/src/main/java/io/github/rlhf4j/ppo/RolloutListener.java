package io.github.rlhf4j.ppo;

import java.util.List;

/** Is shown what the policy says, iteration by iteration, before it learns from it. */
@FunctionalInterface
public interface RolloutListener {

    /**
     * A rollout has been sampled and scored.
     *
     * @param iteration 1 for the first, as {@code StepReport.step()} counts
     * @param samples all of it, in order
     */
    void onRollout(long iteration, List<RolloutSample> samples);
}
