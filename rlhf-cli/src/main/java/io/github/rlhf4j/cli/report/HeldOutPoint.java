package io.github.rlhf4j.cli.report;

/**
 * How a policy answered held-out prompts after a step of its optimisation.
 *
 * @param algorithm label of what optimises it: {@code grpo}
 * @param step steps done
 * @param seconds of training until then, looks at held-out prompts not counted; after a resumption what came between the last
 *     look and the stop is missing
 * @param kl nats per sequence from the supervised policy, estimated on these answers
 * @param learned mean score of the reward model
 * @param share of the answers that meet the hidden taste; NaN without one
 * @param taste mean score in [0, 1] by the hidden taste; NaN without one
 */
public record HeldOutPoint(
        String algorithm, long step, double seconds, double kl, double learned, double share, double taste) {}
