package io.github.rlhf4j.ppo;

/**
 * When a run stops rather than go on with numbers that cannot be right, and what bounds the updates on a rollout.
 *
 * @param onPolicyTolerance largest |log π(scored) − log π(sampled)| of a token, nats, before the first update on a
 *     rollout, where the two are the same policy. Default 1e-3: incremental decoding and a full forward pass in float32
 *     part by 1e-5 to 1e-4 (logits of some tens, rounding of 6e-8 each, sums over some thousand terms), while a forgotten
 *     temperature, a truncated distribution or dropout part by 1e-2 and more at some token of a batch. Within it the
 *     ratio is 1 to a thousandth, the approximate KL below 5e-7, and nothing is clipped
 * @param negativeKlSignificance probability below which a rollout's negative total K1 counts as impossible. Default 1e-9.
 *     For responses drawn from π the expectation of π_ref/π is at most 1, so P(Σ K1 ≤ −c) ≤ e^−c (Markov), whatever the
 *     number of responses and their lengths: at 1e-9 a run stops below −20.7 nats in total. K3 is never negative and
 *     cannot show this
 * @param approximateKlLimit early stop: once an update's minibatch had an approximate KL above this, nats per token, the
 *     remaining updates on the rollout are left out. Default 0, which is off
 * @param klBudget KL(π‖π_ref), nats per sequence, that with a probability of about 95 % no step of a run ends past; updates
 *     that may are undone and done again at a smaller rate ({@link KlBacktracking}). Default 0, which is off
 */
public record GuardSettings(
        double onPolicyTolerance, double negativeKlSignificance, double approximateKlLimit, double klBudget) {

    public GuardSettings {
        require(onPolicyTolerance > 0, "onPolicyTolerance must be > 0", onPolicyTolerance);
        require(
                negativeKlSignificance > 0 && negativeKlSignificance < 1,
                "negativeKlSignificance must lie in (0, 1)",
                negativeKlSignificance);
        require(
                approximateKlLimit >= 0 && Double.isFinite(approximateKlLimit),
                "approximateKlLimit must be ≥ 0 and finite (0 is off)",
                approximateKlLimit);
        require(klBudget >= 0 && Double.isFinite(klBudget), "klBudget must be ≥ 0 and finite (0 is off)", klBudget);
    }

    public static GuardSettings defaults() {
        return new GuardSettings(1e-3, 1e-9, 0, 0);
    }

    public GuardSettings withOnPolicyTolerance(double tolerance) {
        return new GuardSettings(tolerance, negativeKlSignificance, approximateKlLimit, klBudget);
    }

    public GuardSettings withApproximateKlLimit(double limit) {
        return new GuardSettings(onPolicyTolerance, negativeKlSignificance, limit, klBudget);
    }

    public GuardSettings withKlBudget(double nats) {
        return new GuardSettings(onPolicyTolerance, negativeKlSignificance, approximateKlLimit, nats);
    }

    private static void require(boolean rule, String message, double value) {
        if (!rule) {
            throw new IllegalArgumentException(message + ", got " + value);
        }
    }
}
