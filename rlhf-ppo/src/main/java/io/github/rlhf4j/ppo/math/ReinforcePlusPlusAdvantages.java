package io.github.rlhf4j.ppo.math;

import java.util.Arrays;

/**
 * REINFORCE++ (Hu et al. 2025, arXiv 2501.03262): the reward to go of each token, with the KL penalty paid token by token in
 * it, whitened over all tokens of the rollout:
 *
 * <pre>{@code
 * A_t = Σ_{s ≥ t} r_s, then (A − mean A)/√(variance of A)      discount 1
 * }</pre>
 *
 * Before, {@link Baseline#GROUP_MEAN} takes the mean of its prompt's responses from each reward (REINFORCE++-baseline, where
 * the paper puts the KL into the loss instead).
 *
 * @param baseline what is subtracted before whitening
 */
public record ReinforcePlusPlusAdvantages(Baseline baseline) implements GroupAdvantages {

    /** What is subtracted before whitening. */
    public enum Baseline {
        /** Nothing: one response per prompt suffices. */
        NONE,
        /** The mean reward of the responses to the same prompt. */
        GROUP_MEAN
    }

    @Override
    public int leastGroup() {
        return baseline == Baseline.NONE ? 1 : 2;
    }

    @Override
    public double[][] estimate(double[][] rewards, int groupSize) {
        GroupAdvantages.requireGroups(rewards, groupSize, leastGroup());
        double[][] toGo = GeneralizedAdvantages.estimate(rewards, Ragged.zerosLike(rewards), 1, 1)
                .advantages();
        if (baseline == Baseline.NONE) {
            return Whitening.standardize(toGo);
        }
        double[] means = new double[rewards.length];
        double[] sums = Ragged.rowSums(rewards);
        for (int i = 0; i < means.length; i++) {
            int from = i / groupSize * groupSize;
            means[i] = Groups.mean(Arrays.copyOfRange(sums, from, from + groupSize));
        }
        for (int i = 0; i < toGo.length; i++) {
            for (int t = 0; t < toGo[i].length; t++) {
                toGo[i][t] -= means[i];
            }
        }
        return Whitening.standardize(toGo);
    }
}
