package io.github.rlhf4j.ppo.math;

import java.util.Arrays;
import java.util.function.DoubleBinaryOperator;

/**
 * What makes up for rollouts that another policy drew than the one that is trained: one some updates older, or of coarser
 * numbers. A weight per token from log ω = log π_old(y) − log π_sampler(y), never differentiated, that advantages are
 * multiplied by; π_old is the trained policy before the first update on the rollout, by its own scoring.
 *
 * <p>Untruncated, a sequence's weight Π ω makes the gradient unbiased and its variance grow without bound; each of these
 * trades one for the other. A weight of 0 leaves a token out; it still counts in the mean's denominator.
 */
public sealed interface RolloutCorrection {

    /**
     * The weight of each token, ≥ 0.
     *
     * @param oldLogProbs log π_old of each token, nats
     * @param samplerLogProbs log π_sampler, likewise
     */
    double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs);

    /** 1 for every token: the sampler is the policy. */
    record None() implements RolloutCorrection {

        @Override
        public double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs) {
            return Ragged.combine(oldLogProbs, samplerLogProbs, (old, sampler) -> 1);
        }
    }

    /**
     * min(ω_t, cap): truncated importance sampling by token (Espeholt et al. 2018, "IMPALA", §4.1; Yao et al. 2025, "Your
     * efficient RL framework secretly brings you off-policy RL training").
     *
     * @param cap ≥ 1; 2 in Yao et al.
     */
    record TokenTruncated(double cap) implements RolloutCorrection {

        public TokenTruncated {
            requireCap(cap);
        }

        @Override
        public double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs) {
            return Ragged.combine(
                    oldLogProbs, samplerLogProbs, (old, sampler) -> Math.min(cap, Math.exp(old - sampler)));
        }
    }

    /**
     * min(Π_t ω_t, cap) for all tokens of a sequence: truncated importance sampling by sequence (verl).
     *
     * @param cap ≥ 1
     */
    record SequenceTruncated(double cap) implements RolloutCorrection {

        public SequenceTruncated {
            requireCap(cap);
        }

        @Override
        public double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs) {
            return bySequence(oldLogProbs, samplerLogProbs, (sum, tokens) -> Math.min(cap, Math.exp(sum)));
        }
    }

    /**
     * ω_t where it lies in [low, high], 0 elsewhere: masked importance sampling by token (Ling team 2025, "IcePop").
     *
     * @param low in (0, 1]
     * @param high ≥ 1
     */
    record TokenMasked(double low, double high) implements RolloutCorrection {

        public TokenMasked {
            requireBand(low, high);
        }

        @Override
        public double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs) {
            return Ragged.combine(
                    oldLogProbs, samplerLogProbs, (old, sampler) -> inside(Math.exp(old - sampler), low, high));
        }
    }

    /**
     * 1 for all tokens of a sequence whose geometric mean of ω lies in [low, high], 0 for those of others: rejection of
     * sequences that have drifted, whatever their length (verl's geometric mask).
     *
     * @param low in (0, 1]
     * @param high ≥ 1
     */
    record SequenceMasked(double low, double high) implements RolloutCorrection {

        public SequenceMasked {
            requireBand(low, high);
        }

        @Override
        public double[][] weights(double[][] oldLogProbs, double[][] samplerLogProbs) {
            return bySequence(
                    oldLogProbs,
                    samplerLogProbs,
                    (sum, tokens) -> inside(Math.exp(sum / tokens), low, high) > 0 ? 1 : 0);
        }
    }

    private static double inside(double ratio, double low, double high) {
        return ratio >= low && ratio <= high ? ratio : 0;
    }

    /** One weight for all tokens of a row, from the row's Σ log ω and its length. */
    private static double[][] bySequence(
            double[][] oldLogProbs, double[][] samplerLogProbs, DoubleBinaryOperator weight) {
        double[][] logRatios = Ragged.combine(oldLogProbs, samplerLogProbs, (old, sampler) -> old - sampler);
        for (double[] row : logRatios) {
            Arrays.fill(row, row.length == 0 ? 1 : weight.applyAsDouble(Ragged.sum(row), row.length));
        }
        return logRatios;
    }

    private static void requireCap(double cap) {
        if (!(cap >= 1) || Double.isInfinite(cap)) {
            throw new IllegalArgumentException("the cap of importance weights must be ≥ 1 and finite, got " + cap
                    + "; below 1 even a rollout of the policy itself would be scaled down");
        }
    }

    private static void requireBand(double low, double high) {
        if (!(low > 0 && low <= 1 && high >= 1) || Double.isInfinite(high)) {
            throw new IllegalArgumentException("importance weights are kept within [low, high] with low in (0, 1] and"
                    + " a finite high ≥ 1, got [" + low + ", " + high + "]");
        }
    }
}
