package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * REINFORCE leave-one-out (Kool, van Hoof and Welling 2019, "Buy 4 REINFORCE samples, get a baseline for free!"; Ahmadian et
 * al. 2024, "Back to basics", arXiv 2402.14740): the baseline of a response is the mean reward of the others to its prompt:
 *
 * <pre>{@code
 * A_i = r_i − mean_{j ≠ i} r_j
 * }</pre>
 *
 * A baseline that does not depend on the response leaves the policy gradient unbiased. The advantages of a group sum to 0.
 */
public record RlooAdvantages() implements GroupAdvantages.OfSequences {

    @Override
    public double[] ofGroup(double[] rewards) {
        double sum = Ragged.sum(rewards);
        double others = rewards.length - 1;
        return Arrays.stream(rewards)
                .map(reward -> reward - (sum - reward) / others)
                .toArray();
    }
}
