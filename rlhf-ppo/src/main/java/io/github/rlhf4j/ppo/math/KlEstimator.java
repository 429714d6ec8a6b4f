package io.github.rlhf4j.ppo.math;

/**
 * Estimators of KL(π‖π_ref) from one token y drawn from π (Schulman 2020, "Approximating KL divergence"), in terms of
 * d = log π_ref(y) − log π(y), nats.
 *
 * <p><b>As a number</b>, K1 and K3 are unbiased, K2 is not; K2 and K3 are never negative. <b>As a loss term</b>, whose
 * gradient flows through log π(y) of tokens drawn from π itself, the expected gradient is another matter: K1's is zero,
 * K2's is that of KL(π‖π_ref), K3's is that of KL(π_ref‖π). {@link KlPenalty.Exact} has the
 * first of these itself, where it can be had.
 */
public enum KlEstimator {
    /** −d: unbiased, of either sign. What the reward is shaped with (Ziegler et al. 2019). As a loss term: nothing. */
    K1 {
        @Override
        public double value(double logProb, double referenceLogProb) {
            return logProb - referenceLogProb;
        }

        @Override
        public double gradient(double logProb, double referenceLogProb) {
            return 1;
        }
    },

    /** d²/2: biased, ≥ 0, low variance. As a loss term: the gradient of KL(π‖π_ref). */
    K2 {
        @Override
        public double value(double logProb, double referenceLogProb) {
            double d = referenceLogProb - logProb;
            return d * d / 2;
        }

        @Override
        public double gradient(double logProb, double referenceLogProb) {
            return logProb - referenceLogProb;
        }
    },

    /** e^d − 1 − d: unbiased, ≥ 0. As a loss term (GRPO): the gradient of KL(π_ref‖π). */
    K3 {
        @Override
        public double value(double logProb, double referenceLogProb) {
            double d = referenceLogProb - logProb;
            return Math.expm1(d) - d;
        }

        @Override
        public double gradient(double logProb, double referenceLogProb) {
            return -Math.expm1(referenceLogProb - logProb);
        }
    };

    /** The estimate at one token, nats. */
    public abstract double value(double logProb, double referenceLogProb);

    /** The derivative of {@link #value} with respect to {@code logProb}. */
    public abstract double gradient(double logProb, double referenceLogProb);

    /** The estimate at each token. */
    public double[][] values(double[][] logProbs, double[][] referenceLogProbs) {
        return Ragged.combine(logProbs, referenceLogProbs, this::value);
    }
}
