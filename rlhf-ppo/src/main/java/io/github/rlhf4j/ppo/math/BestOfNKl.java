package io.github.rlhf4j.ppo.math;

/** The KL divergence that choosing the best of n samples costs. */
public final class BestOfNKl {

    private BestOfNKl() {}

    /**
     * log n − (n − 1)/n, nats: an upper bound of KL(best of n‖π), exact when no two responses tie (Stiennon et al. 2020,
     * appendix G.3; Gao et al. 2022, §2).
     *
     * @param n number of samples, ≥ 1
     */
    public static double bound(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("best-of-n needs n ≥ 1 samples, got " + n);
        }
        return Math.log(n) - (n - 1.0) / n;
    }
}
