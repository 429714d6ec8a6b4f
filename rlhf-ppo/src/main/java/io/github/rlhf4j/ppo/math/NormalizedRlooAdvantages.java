package io.github.rlhf4j.ppo.math;

import java.util.stream.IntStream;

/**
 * RLOO's advantages divided by the standard deviation of the other responses' rewards, NeMo-RL's default for GRPO:
 *
 * <pre>{@code
 * A_i = (r_i − mean_{j ≠ i} r_j)/(std_{j ≠ i} r_j + ε)      divisor n − 2, ε = 1e-6
 * }</pre>
 *
 * Where the others' rewards are equal nothing is divided.
 */
public record NormalizedRlooAdvantages() implements GroupAdvantages.OfSequences {

    private static final double EPSILON = 1e-6;

    @Override
    public int leastGroup() {
        return 3;
    }

    @Override
    public double[] ofGroup(double[] rewards) {
        return IntStream.range(0, rewards.length)
                .mapToDouble(i -> ofResponse(rewards[i], Groups.without(rewards, i)))
                .toArray();
    }

    private static double ofResponse(double reward, double[] others) {
        double lead = reward - Groups.mean(others);
        double deviation = Groups.standardDeviation(others, 1);
        return deviation == 0 ? lead : lead / (deviation + EPSILON);
    }
}
