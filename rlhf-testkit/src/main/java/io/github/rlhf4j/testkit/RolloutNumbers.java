package io.github.rlhf4j.testkit;

import java.util.Arrays;

/**
 * The per-token numbers of a rollout, all of one ragged shape: a row per sequence, an entry per response token. What the
 * objectives of {@code io.github.rlhf4j.ppo.math} take.
 *
 * @param logProbs under the policy that is trained, nats, ≤ 0
 * @param oldLogProbs under the policy that drew the tokens, nats, ≤ 0, within 0.5 of {@code logProbs}
 * @param referenceLogProbs under the reference policy, nats, ≤ 0
 * @param rewards reward units
 * @param values the critic's, reward units
 * @param scores one per sequence, reward units
 */
public record RolloutNumbers(
        double[][] logProbs,
        double[][] oldLogProbs,
        double[][] referenceLogProbs,
        double[][] rewards,
        double[][] values,
        double[] scores) {

    /** The numbers, so that a failed property shows its counter-example. */
    @Override
    public String toString() {
        return "RolloutNumbers[logProbs=" + Arrays.deepToString(logProbs)
                + ", oldLogProbs=" + Arrays.deepToString(oldLogProbs)
                + ", referenceLogProbs=" + Arrays.deepToString(referenceLogProbs)
                + ", rewards=" + Arrays.deepToString(rewards)
                + ", values=" + Arrays.deepToString(values)
                + ", scores=" + Arrays.toString(scores) + "]";
    }
}
