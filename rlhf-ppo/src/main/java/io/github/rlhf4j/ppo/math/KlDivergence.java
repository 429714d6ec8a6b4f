package io.github.rlhf4j.ppo.math;

/** KL divergence where both distributions are at hand. */
public final class KlDivergence {

    private KlDivergence() {}

    /**
     * KL(p‖q) = Σ_v p(v)·log(p(v)/q(v)), nats, ≥ 0; infinite where q is 0 and p is not.
     *
     * @param p probabilities that sum to 1
     * @param q probabilities that sum to 1, as many
     */
    public static double exact(double[] p, double[] q) {
        if (p.length != q.length) {
            throw new IllegalArgumentException(
                    "KL compares distributions over the same outcomes, got " + p.length + " and " + q.length);
        }
        double kl = 0;
        for (int v = 0; v < p.length; v++) {
            kl += p[v] == 0 ? 0 : p[v] * Math.log(p[v] / q[v]);
        }
        return Math.max(0, kl);
    }
}
