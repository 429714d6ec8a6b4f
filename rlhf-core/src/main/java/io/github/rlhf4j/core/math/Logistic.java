package io.github.rlhf4j.core.math;

/** The logistic function, its logarithm and relatives, without overflow or cancellation over the whole range of double. */
public final class Logistic {

    private Logistic() {}

    /** σ(x) = 1/(1 + e⁻ˣ), in [0, 1]. */
    public static double sigmoid(double x) {
        if (x >= 0) {
            return 1 / (1 + Math.exp(-x));
        }
        double e = Math.exp(x);
        return e / (1 + e);
    }

    /** log(1 + eˣ) ≥ 0; x itself once eˣ has swallowed the 1. */
    public static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    /** log σ(x) ≤ 0, nats; finite for each finite x, unlike the logarithm of {@link #sigmoid}. */
    public static double logSigmoid(double x) {
        return -softplus(-x);
    }

    /** σ'(x) = σ(x)·σ(−x), in [0, ¼]. */
    public static double sigmoidSlope(double x) {
        return sigmoid(x) * sigmoid(-x);
    }

    /** log(1 − eˣ) for x &lt; 0: the log-probability of what does not happen. */
    public static double log1mExp(double x) {
        return x > -Math.log(2) ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
    }
}
